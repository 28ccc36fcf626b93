import express, { type NextFunction, type Request, type RequestHandler, type Response, type Router } from 'express';
import type { HandledExchange, HandledParts, HandlerOf, RouteHandler } from '../exchange/route-handler.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Route } from '../model/route.ts';
import { normalizePath } from '../routing/normal-path.ts';
import { applyHeaderChanges } from './headers-object.ts';
import { ThroughResponse } from './through-response.ts';
import { ViewRequest } from './view-request.ts';
import { ViewResponse } from './view-response.ts';

export interface ExpressRouterOptions {
  /** Middleware that a route names, in its order, before forwarding. Default: none. */
  readonly pluginsOf?: (route: Route) => readonly RequestHandler[];
  /** Which routes pass Express. Default: all. */
  readonly handles?: (route: Route) => boolean;
}

interface Running {
  readonly handled: HandledExchange;
  readonly request: ViewRequest;
  readonly response: ViewResponse;
}

/**
 * Serves routes through Express: each compiled route has an Express router of its own, made when it is first asked for and
 * kept with the route, so that a new table brings new routers and requests in flight keep theirs. Request and response
 * objects are made of the exchange; no bytes are parsed here.
 */
export function createExpressRouter({ pluginsOf, handles }: ExpressRouterOptions = {}): HandlerOf {
  const routers = new WeakMap<Route, Router>();
  const running = new WeakMap<ViewRequest, Running>();

  const forward: RequestHandler = (request, _response, next) => {
    const found = running.get(request as unknown as ViewRequest);
    if (found === undefined) next(new Error('a request that is not of this router'));
    else forwardExchange(found);
  };

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

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.disable('query parser');
  // Express sets these as prototypes of every request and response: ours, with Express's own methods on them.
  app.request = onTopOf(ViewRequest.prototype, express.request, app) as typeof app.request;
  app.response = onTopOf(ViewResponse.prototype, express.response, app) as typeof app.response;
  app.use((request, response, next) => {
    const found = running.get(request as unknown as ViewRequest);
    if (found === undefined) next(new Error('a request that is not of this router'));
    else routerOf(found.handled.exchange.route)(request, response, next);
  });
  app.use((error: unknown, request: Request, _response: Response, _next: NextFunction) => {
    running.get(request as unknown as ViewRequest)?.handled.onFault(error);
  });

  const handler: RouteHandler = {
    handle(handled: HandledExchange): HandledParts {
      const request = new ViewRequest(handled);
      const response = new ViewResponse(request, handled);
      running.set(request, { handled, request, response });
      return {
        start: () => app(request as unknown as Request, response as unknown as Response),
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

function forwardExchange({ handled, request, response }: Running): void {
  applyHeaderChanges(handled.exchange.request, request.sentHeaders, request.headers);
  applyTarget(handled.exchange, request.url ?? '/');
  handled.forward(new ThroughResponse(response, handled), request.takeConsumed());
}

/** @throws Error where middleware has left a target that cannot be forwarded */
function applyTarget(exchange: Exchange, url: string): void {
  if (url === exchange.path + exchange.query) return;
  const at = url.indexOf('?');
  const normal = normalizePath(at === -1 ? url : url.slice(0, at));
  if (!normal.ok) throw new Error(`middleware has set the path ${JSON.stringify(url)}: ${normal.reason}`);
  exchange.path = normal.path;
  exchange.query = at === -1 ? '' : url.slice(at);
}

function onTopOf(base: object, methods: object, app: unknown): object {
  const properties = Object.getOwnPropertyDescriptors(methods);
  return Object.create(Object.create(base, properties), { app: { value: app, configurable: true, writable: true } });
}
