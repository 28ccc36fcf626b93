import type { Problem, ServiceKey } from '@swarmgate/registry/vocabulary';
import type { FaultOwner, Logger } from '@swarmgate/runtime';
import type { Counter } from 'prom-client';
import type { DurationCell } from '../../exchange/duration-metric.ts';
import type { Route } from '../../model/route.ts';
import { BlockWatch } from './block-watch.ts';
import { type LoadedPlugin, loadPlugins } from './load-plugins.ts';
import { PluginFailures } from './plugin-failures.ts';
import type { PluginObserver } from './plugin-handler.ts';
import type { PluginMetrics } from './plugin-metrics.ts';
import { RoutePlugins } from './route-plugins.ts';
import { catchPluginErrors } from './running-plugin.ts';
import type { SuspendedNames } from './suspended-names.ts';

export interface ServedPluginsOptions {
  /** `PLUGINS_DIR` */
  readonly directory: string;
  readonly logger: Logger;
  readonly metrics: PluginMetrics;
  /** Descriptor that the control process reads: see `BlockWatchData`. Absent: this is the only process. */
  readonly blockReportFd?: number | undefined;
  readonly suspended: Pick<SuspendedNames, 'has'>;
  /** Gets an error of the thread that finds plug-ins which block. */
  readonly owner: FaultOwner;
}

/** The plug-ins of one process that serves requests. */
export class ServedPlugins {
  readonly routes: RoutePlugins;
  readonly #logger: Logger;
  readonly #loaded: ReadonlyMap<string, LoadedPlugin>;
  readonly #failures = new PluginFailures();
  readonly #failed: Counter;
  #watch: BlockWatch | undefined;
  readonly #misused = new Set<string>();
  readonly #stopCatching: () => void;

  /** @throws where the folder cannot be read; a file that cannot be used costs only the routes that name it */
  static async load(options: ServedPluginsOptions): Promise<ServedPlugins> {
    const loaded = await loadPlugins(options.directory);
    for (const { name, path, fault } of loaded.values())
      if (fault !== undefined) options.logger.error({ plugin: name, path, fault }, 'a plug-in cannot be used');
    return new ServedPlugins(options, loaded);
  }

  constructor(options: ServedPluginsOptions, loaded: ReadonlyMap<string, LoadedPlugin>) {
    const { logger, metrics, blockReportFd, suspended, owner } = options;
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
      entered: (plugin) => this.#watch?.entered(plugin) ?? 0,
      left: (before) => this.#watch?.left(before),
      isSuspended: (plugin) => suspended.has(plugin),
    };
    this.routes = new RoutePlugins({ loaded, logger, observer, onFirst: () => this.#startWatch(blockReportFd, owner) });
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

  async stop(): Promise<void> {
    this.#stopCatching();
    this.routes.stop();
    await this.#watch?.stop();
  }

  /** Only where a route uses a plug-in: the thread takes some megabytes. */
  #startWatch(reportFd: number | undefined, owner: FaultOwner): void {
    this.#watch = new BlockWatch({
      plugins: [...this.#loaded.values()].map(({ name, path }) => ({ name, path })),
      ...(reportFd === undefined ? {} : { reportFd }),
      owner,
      onBlocked: (report) => {
        const { plugin } = report;
        this.#logger.error({ ...report }, 'a plug-in blocked this process: no request was served meanwhile');
        this.#failed.inc({ plugin });
        for (const key of this.routes.servicesOf(plugin)) this.#failures.addBlocked(key, report);
      },
    });
  }

  #onUncaught(plugin: string, error: unknown): void {
    this.#logger.error({ err: error, plugin }, 'a plug-in failed in a timer, an event or a promise');
    this.#failed.inc({ plugin });
    for (const key of this.routes.servicesOf(plugin)) this.#failures.add(key, plugin, error);
  }
}
