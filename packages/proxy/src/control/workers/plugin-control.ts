import type { PluginUse, Problem, ServiceKey } from '@swarmgate/registry';
import { type Logger, messageOf, type Settings, type Tasks } from '@swarmgate/runtime';
import type { Registry as Metrics } from 'prom-client';
import type { BlockReport } from '../../express/plugins/block-watch.ts';
import { PluginFailures } from '../../express/plugins/plugin-failures.ts';
import { failureCounter } from '../../express/plugins/plugin-metrics.ts';
import type { Route } from '../../model/route.ts';
import { checkPlugins, type PluginFault } from '../plugins/check-plugins.ts';
import { PluginFolder } from '../plugins/plugin-folder.ts';
import type { PluginsView } from '../plugins/plugins-view.ts';
import { SuspendedPlugins } from '../plugins/suspended-plugins.ts';
import { mergeProblems } from '../serving/serving-table.ts';
import type { ControlMessage, WorkerReport } from './messages.ts';
import type { WorkerFleet } from './worker-fleet.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface PluginControlOptions {
  readonly settings: Pick<Settings, 'pluginsDir' | 'drainTimeoutMs'>;
  readonly fleet: WorkerFleet;
  readonly routes: () => Iterable<Route>;
  readonly reports: () => readonly WorkerReport[];
  /** Counts what a worker that is blocked cannot. */
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** See `PluginFolder`. */
  readonly lookMs: number | undefined;
}

type State =
  | { readonly kind: 'current' | 'replacing' }
  | { readonly kind: 'refused'; readonly faults: readonly PluginFault[] };

const releaseEveryMs = 1_000;

/** What the control process does about plug-ins, which run in workers only. */
export class PluginControl {
  readonly #options: PluginControlOptions;
  readonly #folder: Promise<PluginFolder> | undefined;
  readonly #failures = new PluginFailures();
  readonly #suspended = new SuspendedPlugins();
  readonly #countFailed: (plugin: string) => void;
  #state: State = { kind: 'current' };

  /** Before the workers start: what they load later than this is a change. */
  constructor(options: PluginControlOptions) {
    this.#options = options;
    const { pluginsDir } = options.settings;
    this.#folder = pluginsDir === undefined ? undefined : PluginFolder.open(pluginsDir, options.lookMs);
    const failed = failureCounter(options.metrics);
    this.#countFailed = (plugin) => failed.inc({ plugin });
  }

  /** Replaces workers as files change, and lets suspended plug-ins run again, until the signal aborts. */
  async follow(tasks: Tasks, signal: AbortSignal): Promise<void> {
    const folder = await this.#folder;
    if (folder === undefined) return;
    await Promise.all([
      tasks.run('plug-in-files', signal, () => folder.follow(() => this.#changed(signal), signal)),
      tasks.every('suspended-plug-ins', releaseEveryMs, signal, () => this.#release()),
    ]);
  }

  /** For a worker that starts. */
  suspendMessage(): ControlMessage {
    return { kind: 'suspend-plugins', names: this.#suspended.names };
  }

  /** A plug-in keeps a worker from serving. */
  blocked(worker: WorkerProcess, report: BlockReport): void {
    const { logger, fleet } = this.#options;
    const { plugin } = report;
    logger.error({ worker: worker.pid, ...report }, 'a plug-in blocks a worker');
    this.#countFailed(plugin);
    for (const key of this.#servicesOf(plugin)) this.#failures.addBlocked(key, report);
    const isNew = this.#suspended.blocked(plugin);
    if (isNew) {
      logger.error({ plugin }, 'a plug-in is suspended: it has blocked workers again and again');
      fleet.broadcast(this.suspendMessage());
    }
    // One that does not serve yet keeps no request waiting: it may take its time, as it may to load its files.
    if (worker.state === 'serving' || worker.state === 'draining') fleet.endBlocked(worker, plugin);
  }

  /** All workers were replaced: they run what the folder holds. */
  replaced(): void {
    this.#state = { kind: 'current' };
    this.#suspended.clear();
    this.#options.fleet.broadcast(this.suspendMessage());
  }

  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    return mergeProblems(this.#failures.problems(), this.#refusals());
  }

  /** `undefined` without `PLUGINS_DIR`. */
  view(): PluginsView | undefined {
    if (this.#folder === undefined) return undefined;
    const state = this.#state;
    const suspended = new Set(this.#suspended.names);
    const loaded = this.#options.reports().find(({ plugins }) => plugins !== undefined)?.plugins ?? [];
    return {
      state: state.kind,
      ...(state.kind === 'refused' ? { reason: state.faults.map(shown).join('; ') } : {}),
      files: loaded.map((each) => (suspended.has(each.name) ? { ...each, suspended: true } : each)),
    };
  }

  async #changed(signal: AbortSignal): Promise<void> {
    const { settings, fleet, logger } = this.#options;
    const { pluginsDir = '', drainTimeoutMs } = settings;
    const found = await checkPlugins(pluginsDir, this.#uses(), signal);
    if (signal.aborted) return;
    const known = this.#knownFaults();
    const faults = found.filter((fault) => !known.has(identityOf(fault)));
    if (faults.length > 0) {
      this.#state = { kind: 'refused', faults };
      logger.error({ pluginsDir, faults }, 'changed plug-ins cannot be used: workers keep what they have');
      return;
    }
    this.#state = { kind: 'replacing' };
    logger.info({ pluginsDir }, 'plug-ins have changed: workers are replaced');
    try {
      await fleet.restart(drainTimeoutMs);
      this.replaced();
    } catch (error) {
      // Those that are left serve on; the next change tries again.
      this.#state = { kind: 'refused', faults: [{ plugin: '', message: messageOf(error) }] };
      logger.error({ err: error }, 'workers cannot be replaced: those that are left keep their plug-ins');
    }
  }

  #release(): void {
    const released = this.#suspended.release();
    if (released.length === 0) return;
    this.#options.logger.info({ plugins: released }, 'suspended plug-ins run again');
    this.#options.fleet.broadcast(this.suspendMessage());
  }

  /** Faults that workers have already: replacing them makes nothing worse. */
  #knownFaults(): ReadonlySet<string> {
    const known = new Set<string>();
    for (const { plugins = [], pluginProblems } of this.#options.reports()) {
      for (const { name, fault } of plugins)
        if (fault !== undefined) known.add(identityOf({ plugin: name, message: fault }));
      for (const problems of pluginProblems.values()) for (const { message } of problems) known.add(message);
    }
    return known;
  }

  #refusals(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    const found = new Map<ServiceKey, readonly Problem[]>();
    if (this.#state.kind !== 'refused') return found;
    for (const fault of this.#state.faults) {
      const keys = this.#servicesOf(fault.plugin);
      // A file that no route names is of no service.
      const shownAt: readonly ServiceKey[] = keys.length === 0 ? ['env/plug-ins'] : keys;
      for (const key of shownAt) found.set(key, [...(found.get(key) ?? []), refusalOf(fault, keys.length > 0)]);
    }
    return found;
  }

  #servicesOf(plugin: string): readonly ServiceKey[] {
    const names = new Set(plugin.split(' or '));
    const keys = new Set<ServiceKey>();
    for (const { key, destination } of this.#options.routes())
      if (destination.plugins?.some(({ name }) => names.has(name))) keys.add(key);
    return [...keys];
  }

  /** What routes name, each once. */
  #uses(): readonly PluginUse[] {
    const uses = new Map<string, PluginUse>();
    for (const { destination } of this.#options.routes())
      for (const use of destination.plugins ?? []) uses.set(JSON.stringify(use), use);
    return [...uses.values()];
  }
}

function shown({ plugin, message }: PluginFault): string {
  return plugin === '' ? message : `${plugin}: ${message}`;
}

/** A problem of the options names the plug-in by itself. */
function identityOf({ plugin, message }: PluginFault): string {
  return message.startsWith('the plug-in ') ? message : `${plugin} ${message}`;
}

function refusalOf(fault: PluginFault, isNamed: boolean): Problem {
  return {
    severity: 'warning',
    reason: 'plugin-refused',
    message: `the files in PLUGINS_DIR have changed and cannot be used, so workers keep what they have: ${shown(fault)}`,
    ...(isNamed ? { label: 'plugins' } : {}),
    suggestion: 'Correct the file, or put the former one back; all files are tried again when one changes.',
  };
}
