import type { Problem, ServiceKey } from '@swarmgate/registry/vocabulary';
import type { Logger } from '@swarmgate/runtime';
import { Counter, type Registry as Metrics } from 'prom-client';
import { type DurationCell, DurationMetric } from '../../exchange/duration-metric.ts';
import type { Route } from '../../model/route.ts';
import { type LoadedPlugin, loadPlugins } from './load-plugins.ts';
import { PluginFailures } from './plugin-failures.ts';
import type { PluginObserver } from './plugin-handler.ts';
import { RoutePlugins } from './route-plugins.ts';
import { catchPluginErrors } from './running-plugin.ts';

export interface ServedPluginsOptions {
  /** `PLUGINS_DIR` */
  readonly directory: string;
  readonly logger: Logger;
  readonly metrics: PluginMetrics;
}

export interface PluginMetrics {
  readonly times: DurationMetric;
  readonly failed: Counter;
}

/** The plug-ins of one process that serves requests. */
export class ServedPlugins {
  readonly routes: RoutePlugins;
  readonly #logger: Logger;
  readonly #loaded: ReadonlyMap<string, LoadedPlugin>;
  readonly #failures = new PluginFailures();
  readonly #failed: Counter;
  readonly #misused = new Set<string>();
  readonly #stopCatching: () => void;

  /** @throws where the folder cannot be read; a file that cannot be used costs only the routes that name it */
  static async load(options: ServedPluginsOptions): Promise<ServedPlugins> {
    const loaded = await loadPlugins(options.directory);
    for (const { name, path, fault } of loaded.values())
      if (fault !== undefined) options.logger.error({ plugin: name, path, fault }, 'a plug-in cannot be used');
    return new ServedPlugins(options, loaded);
  }

  constructor({ logger, metrics }: ServedPluginsOptions, loaded: ReadonlyMap<string, LoadedPlugin>) {
    this.#logger = logger;
    this.#loaded = loaded;
    const { times, failed } = metrics;
    this.#failed = failed;
    const cells = new Map<string, DurationCell>();
    const observer: PluginObserver = {
      took: (plugin, seconds) => {
        let cell = cells.get(plugin);
        if (cell === undefined) {
          cell = times.cell({ plugin });
          cells.set(plugin, cell);
        }
        cell.observe(seconds);
      },
      misused: (plugin, what) => {
        if (this.#misused.has(`${plugin} ${what}`)) return;
        this.#misused.add(`${plugin} ${what}`);
        logger.warn({ plugin, what }, 'a plug-in did what has no effect; this is logged once');
      },
      entered: () => undefined,
      left: () => undefined,
    };
    this.routes = new RoutePlugins({ loaded, logger, observer });
    this.#stopCatching = catchPluginErrors(
      (error) => this.nameIn(error),
      (plugin, error) => this.#onUncaught(plugin, error),
    );
  }

  /** Middleware of a route has failed. `plugin`: its name, or those of all where any may have. */
  onFailed(plugin: string, error: unknown, route: Route): void {
    this.#logger.error({ err: error, plugin, service: route.key }, 'a plug-in failed');
    this.#failed.inc({ plugin });
    this.#failures.add(route.key, plugin, error);
  }

  /** The plug-in whose file the stack of an error names. */
  nameIn(error: unknown): string | undefined {
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    for (const { name, path } of this.#loaded.values()) if (stack.includes(`${path}:`)) return name;
    return undefined;
  }

  problems(): readonly ReadonlyMap<ServiceKey, readonly Problem[]>[] {
    return [this.routes.problems(), this.#failures.problems()];
  }

  stop(): void {
    this.#stopCatching();
    this.routes.stop();
  }

  #onUncaught(plugin: string, error: unknown): void {
    this.#logger.error({ err: error, plugin }, 'a plug-in failed in a timer, an event or a promise');
    this.#failed.inc({ plugin });
    for (const key of this.routes.servicesOf(plugin)) this.#failures.add(key, plugin, error);
  }
}

/** Registered by every proxy, so that dashboards find them. */
export function pluginMetrics(metrics: Metrics): PluginMetrics {
  const times = new DurationMetric(
    {
      name: 'swarmgate_plugin_seconds',
      help: 'Time that a request spends in each plug-in before the next one, waiting included; until the response ends where the plug-in responds by itself',
      labelNames: ['plugin'],
      bounds: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    },
    metrics,
  );
  const failed = new Counter({
    name: 'swarmgate_plugin_failures_total',
    help: 'Errors of plug-ins: those that cost a request, and those of their timers and events',
    labelNames: ['plugin'],
    registers: [metrics],
  });
  return { times, failed };
}
