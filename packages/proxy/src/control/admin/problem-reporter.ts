import {
  contendForLeadership,
  type KeyLayout,
  type KeyValueStore,
  type Leadership,
  type LeadershipState,
} from '@swarmgate/registry';
import { type Logger, pause, type Running, type Tasks } from '@swarmgate/runtime';
import { planReport } from './plan-report.ts';

export interface ProblemReporterOptions {
  readonly store: KeyValueStore;
  readonly layout: KeyLayout;
  readonly replica: string;
  readonly logger: Logger;
  readonly tasks: Pick<Tasks, 'run'>;
  /** Least time between two writes, in milliseconds. Default 500. */
  readonly betweenWritesMs?: number;
}

type Leading = Extract<LeadershipState, { readonly kind: 'leading' }>;

/** Of 64 operations in a transaction one is the fence; documents of problems are small. */
const operationsPerTransaction = 32;

/**
 * Writes problems into the registry for its readers. Every proxy finds the same ones, so the one that
 * holds the lock `reporter` writes for all. Level-triggered: what could not be written is part of the next difference.
 */
export class ProblemReporter implements Running {
  readonly #options: ProblemReporterOptions;
  readonly #leadership: Leadership;
  readonly #ending = new AbortController();
  readonly #reporting: Promise<void>;
  #required: ReadonlyMap<string, string> | undefined;
  #wake: () => void = () => undefined;
  #failed = false;

  constructor(options: ProblemReporterOptions) {
    this.#options = options;
    const { store, layout, replica, logger, tasks } = options;
    this.#leadership = contendForLeadership({
      store,
      key: layout.reporter,
      heartbeatKey: layout.reporterHeartbeat,
      name: `proxy ${replica}`,
      logger,
      tasks,
    });
    this.#leadership.onChange(() => this.#wake());
    this.#reporting = options.tasks.run('problem-reporter', this.#ending.signal, () => this.#run());
  }

  /** By key, the documents that should stand in the registry; from now on these and no others. */
  report(documents: ReadonlyMap<string, string>): void {
    this.#required = documents;
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    this.#wake();
    await this.#reporting;
    await this.#leadership.stop();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    let written: { readonly by: Leading; readonly documents: Map<string, string> } | undefined;
    let reported: ReadonlyMap<string, string> | undefined;
    while (!signal.aborted) {
      const state = this.#leadership.state();
      const required = this.#required;
      if (state.kind === 'standby' || required === undefined || (required === reported && written?.by === state)) {
        await this.#somethingNew();
        continue;
      }
      try {
        if (written?.by !== state) written = { by: state, documents: await this.#readWritten(signal) };
        await this.#write(required, written.documents, state);
        reported = required;
        this.#failed = false;
      } catch (error) {
        written = undefined;
        if (!signal.aborted && !this.#failed)
          this.#options.logger.warn({ err: error }, 'problems cannot be written to the registry yet');
        this.#failed = true;
      }
      await pause(this.#options.betweenWritesMs ?? 500, signal);
    }
  }

  async #readWritten(signal: AbortSignal): Promise<Map<string, string>> {
    const { store, layout } = this.#options;
    const lists = await Promise.all(
      ['routes', 'keys'].map((kind) => store.list(`${layout.prefix}problems/${kind}/`, signal)),
    );
    return new Map(lists.flatMap(({ data }) => data).map(({ key, value }) => [key, value]));
  }

  async #write(required: ReadonlyMap<string, string>, written: Map<string, string>, by: Leading): Promise<void> {
    const plan = planReport(required, written);
    for (let at = 0; at < plan.length; at += operationsPerTransaction) {
      const operations = plan.slice(at, at + operationsPerTransaction);
      const result = await this.#options.store.transact(
        [{ kind: 'check-session', ...by.fence }, ...operations],
        this.#ending.signal,
      );
      if (!result.ok) throw new Error(result.reason);
      for (const operation of operations) {
        if (operation.kind === 'set') written.set(operation.key, operation.value);
        else written.delete(operation.key);
      }
    }
  }

  #somethingNew(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = () => undefined;
        resolve();
      };
      if (this.#ending.signal.aborted) resolve();
    });
  }
}
