import type { OpenAnswers } from '@swarmgate/acme/answers';
import { backoffMs, type Logger, pause, type Running } from '@swarmgate/runtime';
import type { ServicesChange } from '../../model/served-service.ts';
import type { WorkerView } from '../serving/server.ts';
import type { ControlMessage } from './messages.ts';
import { WorkerError, type WorkerProcess } from './worker-process.ts';

export interface WorkerFleetOptions {
  readonly size: number;
  readonly logger: Logger;
  /** Starts a process; it gets its services by itself. */
  readonly launch: () => WorkerProcess;
  /** A worker accepts connections from now on. */
  readonly onServing: (worker: WorkerProcess) => void;
  readonly onEnded: (worker: WorkerProcess, how: 'drained' | 'crashed') => void;
  /** A worker may take so long to begin to serve, in milliseconds. Default 60,000. */
  readonly startWaitMs?: number;
  /** A change waits so long for a worker that does not answer, in milliseconds. Default 5,000. */
  readonly applyWaitMs?: number;
  /** Time before a worker that crashed again is replaced, in milliseconds, doubled up to the most. Default 100 to 10,000. */
  readonly firstBackoffMs?: number;
}

const mostBackoffMs = 10_000;
/** A worker that served so long did not crash for how it started. */
const settledMs = 10_000;

/** Keeps as many workers serving as there should be: replaces those that crash, and all of them one by one when asked. */
export class WorkerFleet implements Running {
  readonly #options: WorkerFleetOptions;
  readonly #workers = new Set<WorkerProcess>();
  /** Asked to end: their exit is no crash. */
  readonly #retiring = new Set<WorkerProcess>();
  readonly #stopping = new AbortController();
  readonly #replacing = new Set<Promise<void>>();
  #restarting: Promise<number> | undefined;
  #restartingNext: Promise<number> | undefined;
  #crashesInARow = 0;

  constructor(options: WorkerFleetOptions) {
    this.#options = options;
  }

  /** @throws WorkerError when one of them cannot begin to serve; none is left then. */
  async start(): Promise<void> {
    try {
      await Promise.all(Array.from({ length: this.#options.size }, () => this.#launch()));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  get workers(): ReadonlySet<WorkerProcess> {
    return this.#workers;
  }

  views(): readonly WorkerView[] {
    return [...this.#workers].map((worker) => worker.view());
  }

  tell(message: ControlMessage, except?: WorkerProcess): void {
    for (const worker of this.#workers) if (worker !== except) worker.send(message);
  }

  /** Resolves when every worker that accepts connections serves the change or did not acknowledge it in time. */
  async apply(change: Pick<ServicesChange, 'revision' | 'changes'>): Promise<void> {
    const { applyWaitMs = 5_000, logger } = this.#options;
    const applied = Promise.all([...this.#workers].map((worker) => worker.apply(change)));
    const over = new AbortController();
    const late = pause(applyWaitMs, over.signal).then((inVain) => {
      if (inVain)
        logger.warn(
          { revision: change.revision, waitedMs: applyWaitMs },
          'worker did not acknowledge the change in time',
        );
    });
    await Promise.race([applied, late]);
    over.abort();
  }

  /** As `apply`, but rejects if a worker does not acknowledge in time: then not all of them serve the answers. */
  async answerChallenges(answers: OpenAnswers): Promise<void> {
    const { applyWaitMs = 5_000 } = this.#options;
    const answered = Promise.all([...this.#workers].map((worker) => worker.answerChallenges(answers)));
    const over = new AbortController();
    const late = pause(applyWaitMs, over.signal).then((inVain) => {
      if (inVain)
        throw new WorkerError('worker-late', `a worker did not take challenge answers within ${applyWaitMs} ms`);
    });
    try {
      await Promise.race([answered, late]);
    } finally {
      over.abort();
    }
  }

  /**
   * Replaces every worker, one after the other: the new one serves before the old one drains.
   * @param drainMs how long an old one may take over what it has in flight
   * @returns how many were replaced
   * @throws WorkerError when a new one cannot begin to serve; the old ones that are left serve on
   */
  restart(drainMs: number): Promise<number> {
    if (this.#restarting === undefined) return this.#restartNow(drainMs);
    // A call during a round must replace its first workers too, so one more round follows, for all such calls.
    this.#restartingNext ??= this.#restarting
      .catch(() => 0)
      .then(() => {
        this.#restartingNext = undefined;
        return this.#restartNow(drainMs);
      });
    return this.#restartingNext;
  }

  #restartNow(drainMs: number): Promise<number> {
    this.#restarting = this.#replaceAll(drainMs).finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  /** All of them at once; resolves when all have ended. */
  async drain(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#workers].map((worker) => this.#retire(worker, deadlineMs)));
    await Promise.all(this.#replacing);
    // One that was about to replace another when this began.
    await Promise.all([...this.#workers].map((worker) => this.#retire(worker, deadlineMs)));
  }

  stop(): Promise<void> {
    return this.drain(0);
  }

  async #replaceAll(drainMs: number): Promise<number> {
    let replaced = 0;
    for (const old of [...this.#workers].filter(({ state }) => state === 'serving')) {
      if (this.#stopping.signal.aborted) break;
      await this.#launch();
      await this.#retire(old, drainMs);
      replaced += 1;
    }
    this.#options.logger.info({ replaced }, 'workers were replaced');
    return replaced;
  }

  async #retire(worker: WorkerProcess, deadlineMs: number): Promise<void> {
    this.#retiring.add(worker);
    await worker.drain(deadlineMs);
    this.#retiring.delete(worker);
    if (this.#workers.delete(worker)) this.#options.onEnded(worker, 'drained');
  }

  async #launch(): Promise<void> {
    const { launch, onServing, startWaitMs = 60_000 } = this.#options;
    const worker = launch();
    this.#workers.add(worker);
    const over = new AbortController();
    const late = pause(startWaitMs, over.signal).then((inVain) => {
      if (inVain) throw new WorkerError('worker-failed', `a worker does not serve after ${startWaitMs} ms`);
    });
    try {
      await Promise.race([worker.serving, late]);
    } catch (error) {
      this.#workers.delete(worker);
      worker.kill();
      await worker.ended;
      throw error;
    } finally {
      over.abort();
    }
    onServing(worker);
    const sinceMs = performance.now();
    void worker.ended.then((how) => {
      if (this.#retiring.has(worker) || !this.#workers.delete(worker)) return;
      this.#options.onEnded(worker, 'crashed');
      this.#afterCrash(worker, how, performance.now() - sinceMs);
    });
  }

  #afterCrash({ pid }: WorkerProcess, how: string, servedMs: number): void {
    this.#crashesInARow = servedMs >= settledMs ? 1 : this.#crashesInARow + 1;
    if (this.#stopping.signal.aborted) return;
    this.#options.logger.error(
      { worker: pid, how, servedMs: Math.round(servedMs) },
      'a worker crashed; it is replaced',
    );
    const replacing = this.#replaceCrashed();
    this.#replacing.add(replacing);
    void replacing.then(() => this.#replacing.delete(replacing));
  }

  async #replaceCrashed(): Promise<void> {
    const { logger, firstBackoffMs = 100 } = this.#options;
    const { signal } = this.#stopping;
    // The first one at once: its clients are waiting.
    let waitMs = this.#crashesInARow <= 1 ? 0 : backoffMs(this.#crashesInARow - 2, firstBackoffMs, mostBackoffMs);
    for (let attempt = 0; await pause(waitMs, signal); attempt += 1) {
      try {
        await this.#launch();
        return;
      } catch (error) {
        if (signal.aborted) return;
        logger.error({ err: error }, 'a worker cannot be replaced');
        waitMs = backoffMs(attempt + this.#crashesInARow, firstBackoffMs, mostBackoffMs);
      }
    }
  }
}
