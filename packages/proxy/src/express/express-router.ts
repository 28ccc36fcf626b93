import { guard, timerMs } from '@swarmgate/runtime';
import express, { type RequestHandler, type Router } from 'express';
import { localResponse } from '../exchange/local-responses.ts';
import type { HandledExchange, HandledParts, HandlerOf, RouteHandler } from '../exchange/route-handler.ts';
import type { Exchange } from '../model/exchange.ts';
import type { Route } from '../model/route.ts';
import { normalizePath } from '../routing/normal-path.ts';
import { asRequest, asResponse, ExpressRequest, ExpressResponse } from './express-objects.ts';
import type { PluginHandler } from './plugins/plugin.ts';
import { runAs } from './plugins/running-plugin.ts';
import { SilenceTimer } from './silence-timer.ts';
import { ThroughResponse } from './through-response.ts';

export interface ExpressRouterOptions {
  /** Middleware that a route names, in its order, before forwarding. Default: none. */
  readonly pluginsOf?: (route: Route) => readonly PluginHandler[];
  /** Which routes pass Express. Default: all. */
  readonly handles?: (route: Route) => boolean;
  /** The plug-in whose file an error's stack names. */
  readonly nameIn?: (error: unknown) => string | undefined;
  /** Middleware of a route with plug-ins has failed. `plugin`: its name, or those of all where any may have. */
  readonly onFailed?: (plugin: string, error: unknown, route: Route) => void;
  /** Silence allowed to plug-ins where the route sets none, in milliseconds; 0: no limit. Default 0. */
  readonly silenceMs?: number;
}

/**
 * Serves routes through Express: each compiled route has an Express router of its own, made when it is first requested and
 * kept with the route, so that a new table brings new routers and requests in flight keep theirs. Request and response
 * objects are made of the exchange; no bytes are parsed here.
 */
export function createExpressRouter(options: ExpressRouterOptions = {}): HandlerOf {
  const { pluginsOf, handles } = options;
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
  const plain: RouteHandler = { handle: (handled) => new ExpressParts(handled, routerOf) };
  const withPlugins: RouteHandler = { handle: (handled) => new PluginParts(handled, routerOf, options) };
  return (route) => {
    if (handles !== undefined && !handles(route)) return undefined;
    return route.destination.plugins === undefined ? plain : withPlugins;
  };
}

class ExpressParts implements HandledParts {
  protected readonly request: ExpressRequest;
  protected readonly response: ExpressResponse;
  protected readonly handled: HandledExchange;
  readonly #routerOf: (route: Route) => Router;

  constructor(handled: HandledExchange, routerOf: (route: Route) => Router) {
    this.handled = handled;
    this.#routerOf = routerOf;
    this.request = new ExpressRequest(handled);
    this.response = new ExpressResponse(this.request, handled);
    this.request.res = this.response;
  }

  start(): void {
    const { handled, request } = this;
    const next = (error?: unknown) =>
      handled.onFault(error ?? new Error('middleware passed a request on that nothing forwards'));
    request.next = next;
    this.#routerOf(handled.exchange.route)(asRequest(request), asResponse(this.response), next);
  }

  onClientBytes(): void {
    this.request.onClientBytes();
  }

  onClientDrained(): void {
    this.response.onClientDrained();
  }

  onOver(complete: boolean): void {
    // Listeners of both run here: what they throw must not keep the client's side from its end.
    try {
      this.response.onOver();
      this.request.onOver(complete, this.response.completes);
    } catch (error) {
      this.handled.onFault(error);
    }
  }
}

/** The same where plug-ins run: their errors and their silence have a name, and cost this exchange alone. */
class PluginParts extends ExpressParts {
  readonly #options: ExpressRouterOptions;
  readonly #silence: SilenceTimer;

  constructor(handled: HandledExchange, routerOf: (route: Route) => Router, options: ExpressRouterOptions) {
    super(handled, routerOf);
    this.#options = options;
    const { route } = handled.exchange;
    this.#silence = new SilenceTimer(
      timerMs(route.destination.timeoutServerMs ?? options.silenceMs ?? 0),
      guard(handled, () => this.#onSilence()),
    );
    this.request.onForward = (through) => {
      this.#silence.stop();
      through.runs = (act) => this.#run(act);
      through.onComplete = () => this.#silence.start();
    };
    this.response.onSent = () => this.#silence.refresh();
  }

  override start(): void {
    this.#silence.start();
    super.start();
  }

  override onClientBytes(): void {
    this.#silence.refresh();
    this.#run(() => super.onClientBytes());
  }

  override onClientDrained(): void {
    this.#silence.refresh();
    this.#run(() => super.onClientDrained());
  }

  override onOver(complete: boolean): void {
    this.#silence.stop();
    this.request.onPluginEnd?.();
    this.#run(() => super.onOver(complete));
  }

  responseTo(error: unknown) {
    const { failedPlugin, runningPlugin } = this.request;
    const plugin = failedPlugin ?? this.#options.nameIn?.(error) ?? runningPlugin ?? this.#names;
    this.#options.onFailed?.(plugin, error, this.handled.exchange.route);
    return localResponse('plugin-failed');
  }

  get #names(): string {
    const names = this.handled.exchange.route.destination.plugins?.map(({ name }) => name) ?? [];
    return [...new Set(names)].join(' or ');
  }

  /** Runs what may call functions of plug-ins. */
  #run<T>(act: () => T): T {
    return runAs({ plugin: this.#names, onLateError: (error) => this.handled.onFault(error) }, act);
  }

  #onSilence(): void {
    // A client that does not read keeps the plug-in waiting, and has a deadline of its own.
    if (this.handled.clogged) {
      this.#silence.start();
      return;
    }
    const plugin = this.request.runningPlugin ?? this.#names;
    const waitedMs = this.#silence.ms;
    const error = new Error(`it neither responded nor passed the request on within ${waitedMs} ms`);
    this.#options.onFailed?.(plugin, error, this.handled.exchange.route);
    this.handled.respond(localResponse('plugin-timeout'));
  }
}

const forward: RequestHandler = (request, response) => {
  const view = request as unknown as ExpressRequest;
  const { handled } = view;
  view.applyChanges();
  applyTarget(handled.exchange, view.url ?? '/');
  const through = new ThroughResponse(response as unknown as ExpressResponse, handled);
  view.onForward?.(through);
  handled.forward(through, view.takeConsumed());
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
