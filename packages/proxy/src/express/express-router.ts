import express, { type NextFunction, type Request, type RequestHandler, type Response, type Router } from 'express';
import type { HandledExchange, HandledParts, HandlerOf, RouteHandler } from '../exchange/route-handler.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Route } from '../model/route.ts';
import { normalizePath } from '../routing/normal-path.ts';
import { ThroughResponse } from './through-response.ts';
import { ViewRequest } from './view-request.ts';
import { ViewResponse } from './view-response.ts';

export interface ExpressRouterOptions {
  /** Middleware that a route names, in its order, before forwarding. Default: none. */
  readonly pluginsOf?: (route: Route) => readonly RequestHandler[];
  /** Which routes pass Express. Default: all. */
  readonly handles?: (route: Route) => boolean;
}

/**
 * Serves routes through Express: each compiled route has an Express router of its own, made when it is first asked for and
 * kept with the route, so that a new table brings new routers and requests in flight keep theirs. Request and response
 * objects are made of the exchange; no bytes are parsed here.
 */
export function createExpressRouter({ pluginsOf, handles }: ExpressRouterOptions = {}): HandlerOf {
  const routers = new WeakMap<Route, Router>();
  const routerOf = (route: Route): Router => {
    let router = routers.get(route);
    if (router === undefined) {
      router = express.Router({ caseSensitive: true, strict: true });
      for (const plugin of pluginsOf?.(route) ?? []) router.use(plugin);
      router.use(forward);
      routers.set(route, router);
    }
    return router;
  };

  const handler: RouteHandler = {
    handle(handled: HandledExchange): HandledParts {
      const request = new ExpressRequest(handled);
      const response = new ExpressResponse(request, handled);
      request.res = response;
      return {
        start: () => {
          const next = (error?: unknown) =>
            handled.onFault(error ?? new Error('middleware passed a request on that nothing forwards'));
          request.next = next;
          routerOf(handled.exchange.route)(asRequest(request), asResponse(response), next);
        },
        onClientBytes: () => request.onClientBytes(),
        onClientDrained: () => response.onClientDrained(),
        onOver: () => {
          response.onOver();
          request.onOver();
        },
      };
    },
  };
  return (route) => (handles === undefined || handles(route) ? handler : undefined);
}

/** The settings that Express's methods look up. */
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.disable('query parser');

/** Request and response with Express's methods: fixed classes, because exchanging prototypes for each request is slow. */
class ExpressRequest extends ViewRequest {
  res: ExpressResponse | undefined;
  next: NextFunction | undefined;
}
class ExpressResponse extends ViewResponse {
  locals: Record<string, unknown> = Object.create(null);
}
Object.defineProperties(ExpressRequest.prototype, methodsOf(express.request));
Object.defineProperties(ExpressResponse.prototype, methodsOf(express.response));

function methodsOf(prototype: object): PropertyDescriptorMap {
  return { ...Object.getOwnPropertyDescriptors(prototype), app: { value: app, configurable: true, writable: true } };
}

function asRequest(request: ExpressRequest): Request {
  return request as unknown as Request;
}

function asResponse(response: ExpressResponse): Response {
  return response as unknown as Response;
}

const forward: RequestHandler = (request, response) => {
  const view = request as unknown as ExpressRequest;
  const { handled } = view;
  view.applyChanges();
  applyTarget(handled.exchange, view.url ?? '/');
  handled.forward(new ThroughResponse(response as unknown as ExpressResponse, handled), view.takeConsumed());
};

/** @throws Error where middleware has left a target that cannot be forwarded */
function applyTarget(exchange: Exchange, url: string): void {
  if (url === exchange.path + exchange.query) return;
  const at = url.indexOf('?');
  const normal = normalizePath(at === -1 ? url : url.slice(0, at));
  if (!normal.ok) throw new Error(`middleware has set the path ${JSON.stringify(url)}: ${normal.reason}`);
  exchange.path = normal.path;
  exchange.query = at === -1 ? '' : url.slice(at);
}
