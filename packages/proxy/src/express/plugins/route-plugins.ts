import type { PluginUse, Problem, ServiceKey } from '@swarmgate/registry/vocabulary';
import type { Logger } from '@swarmgate/runtime';
import type { RequestHandler } from 'express';
import { localResponse } from '../../exchange/local-responses.ts';
import type { Route } from '../../model/route.ts';
import type { ViewRequest } from '../view-request.ts';
import type { LoadedPlugin } from './load-plugins.ts';
import { type MadePlugin, makePlugin } from './make-plugin.ts';
import type { PluginHandler } from './plugin.ts';
import type { PluginObserver } from './plugin-handler.ts';

export interface RoutePluginsOptions {
  readonly loaded: ReadonlyMap<string, LoadedPlugin>;
  readonly logger: Logger;
  readonly observer: PluginObserver;
  /** Called before the first middleware is made. */
  readonly onFirst?: () => void;
  /** Middleware that no route uses any more is reported after this time, in milliseconds. Default 60,000. */
  readonly lingerMs?: number;
  /** See `MakePluginOptions`. */
  readonly mostMakingMs?: number;
}

/** What a plug-in is, for status and problems. */
export interface PluginView {
  readonly name: string;
  /** Why it cannot be used; absent where it can. */
  readonly fault?: string;
}

/** Middleware of one plug-in with one set of options: one for all routes, so that a limiter counts and a store connects once. */
interface Instance {
  readonly made: MadePlugin;
  readonly ending: AbortController;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

/** The plug-ins of routes: makes their middleware as services change, and reports what cannot be made. */
export class RoutePlugins {
  readonly #options: RoutePluginsOptions;
  #hasFirst = false;
  readonly #instances = new Map<string, Instance>();
  readonly #endless = new Set<string>();
  /** What each service uses. */
  readonly #uses = new Map<ServiceKey, readonly string[]>();
  readonly #problems = new Map<ServiceKey, readonly Problem[]>();

  constructor(options: RoutePluginsOptions) {
    this.#options = options;
  }

  /** These services have changed. */
  apply(table: { routesOf(key: ServiceKey): readonly Route[] }, keys: Iterable<ServiceKey>): void {
    for (const key of keys) {
      const former = this.#uses.get(key) ?? [];
      const problems = new Map<string, Problem>();
      const uses: string[] = [];
      for (const { destination } of table.routesOf(key)) {
        for (const use of destination.plugins ?? []) {
          uses.push(keyOf(use));
          const { made } = this.#use(use);
          if (made.ok) continue;
          const label = destination.index === 0 ? 'plugins' : `plugins.${destination.index}`;
          problems.set(`${label} ${use.name}`, { ...made.problem, label });
        }
      }
      if (uses.length === 0) this.#uses.delete(key);
      else this.#uses.set(key, uses);
      if (problems.size === 0) this.#problems.delete(key);
      else this.#problems.set(key, [...problems.values()]);
      for (const each of former) this.#leave(each);
    }
  }

  /** Handlers for Express in the order of the label; one that responds with 503 where any of the plug-ins cannot be run. */
  handlersOf(route: Route): readonly PluginHandler[] {
    const made = (route.destination.plugins ?? []).map((use) => this.#instance(use).made);
    return made.every((each) => each.ok) ? made.flatMap(({ handlers }) => handlers) : [blocked];
  }

  /** Services whose plug-ins this process lacks. */
  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    return this.#problems;
  }

  /** Services that name a plug-in. */
  servicesOf(plugin: string): readonly ServiceKey[] {
    return [...this.#uses].filter(([, uses]) => uses.some((use) => nameOf(use) === plugin)).map(([key]) => key);
  }

  views(): readonly PluginView[] {
    return [...this.#options.loaded.values()].map(({ name, fault }) =>
      fault === undefined ? { name } : { name, fault },
    );
  }

  stop(): void {
    for (const { ending, timer } of this.#instances.values()) {
      clearTimeout(timer);
      ending.abort();
    }
  }

  #use(use: PluginUse): Instance {
    const instance = this.#instance(use);
    instance.users += 1;
    clearTimeout(instance.timer);
    return instance;
  }

  #leave(key: string): void {
    const instance = this.#instances.get(key);
    if (instance === undefined) return;
    instance.users -= 1;
    if (instance.users > 0) return;
    instance.timer = setTimeout(() => {
      this.#instances.delete(key);
      instance.ending.abort();
    }, this.#options.lingerMs ?? 60_000);
    instance.timer.unref();
  }

  #instance(use: PluginUse): Instance {
    const key = keyOf(use);
    let instance = this.#instances.get(key);
    if (instance === undefined) {
      const { loaded, logger, observer, onFirst, mostMakingMs: mostMs } = this.#options;
      const ending = new AbortController();
      if (!this.#hasFirst) onFirst?.();
      this.#hasFirst = true;
      instance = {
        made: makePlugin(use, { loaded, logger, observer, signal: ending.signal, endless: this.#endless, mostMs }),
        ending,
        users: 0,
        timer: undefined,
      };
      this.#instances.set(key, instance);
    }
    return instance;
  }
}

const blocked: RequestHandler = (request) =>
  (request as unknown as ViewRequest).handled.respond(localResponse('unsupported-feature'));

/** Options in another order are others: the text of the label decides. */
function keyOf({ name, options = {} }: PluginUse): string {
  return `${name} ${JSON.stringify(options)}`;
}

function nameOf(key: string): string {
  return key.slice(0, key.indexOf(' '));
}
