import type { OpenChallengeResponses } from '@swarmgate/acme/challenge-responses';
import { backoffMs, type FaultOwner, guardPromise, type Logger, pause, type Running } from '@swarmgate/runtime';
import type { ServicesChange } from '../../model/served-service.ts';
import type { WorkerView } from '../serving/server.ts';
import type { ControlMessage } from './messages.ts';
import { WorkerError, type WorkerProcess } from './worker-process.ts';

export interface WorkerFleetOptions {
  readonly size: number;
  readonly logger: Logger;
  /** Gets what goes wrong in following the workers. */
  readonly owner: FaultOwner;
  /** Time that a worker which is replaced because it cannot be relied on has for what it has in flight, in milliseconds. */
  readonly drainMs: number;
  /** A worker may take so long to begin to serve, in milliseconds. Default 60,000. */
  readonly startWaitMs?: number;
  /** A change waits so long for a worker that does not respond, in milliseconds. Default 5,000. */
  readonly applyWaitMs?: number;
  /** Time before a worker that crashed again is replaced, in milliseconds, doubled up to the most. Default 100 to 10,000. */
  readonly firstBackoffMs?: number;
}

/** What a fleet needs once it has workers. */
export interface FleetEvents {
  /** Starts a process; it gets its services by itself. */
  readonly launch: () => WorkerProcess;
  /** A worker accepts connections from now on. */
  readonly onServing: (worker: WorkerProcess) => void;
  /** A worker begins to drain. */
  readonly onRetiring: (worker: WorkerProcess) => void;
  readonly onEnded: (worker: WorkerProcess, how: 'drained' | 'crashed') => void;
}

const mostBackoffMs = 10_000;
/** A worker that served so long did not crash for how it started. */
const settledMs = 10_000;

/** Keeps as many workers serving as there should be: replaces those that crash, and all of them one by one when requested. */
export class WorkerFleet implements Running {
  readonly #options: WorkerFleetOptions;
  readonly #workers = new Set<WorkerProcess>();
  /** Requested to end: their exit is no crash. */
  readonly #retiring = new Set<WorkerProcess>();
  /** Being replaced because an error passed every guard: an end before that needs no other replacement. */
  readonly #unusable = new Set<WorkerProcess>();
  readonly #servingSinceMs = new WeakMap<WorkerProcess, number>();
  readonly #stopping = new AbortController();
  readonly #replacing = new Set<Promise<void>>();
  #restarting: Promise<number> | undefined;
  #restartingNext: Promise<number> | undefined;
  #crashesInARow = 0;
  #events: FleetEvents | undefined;

  constructor(options: WorkerFleetOptions) {
    this.#options = options;
  }

  /** @throws WorkerError when one of them cannot begin to serve; none is left then. */
  async start(events: FleetEvents): Promise<void> {
    this.#events = events;
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

  broadcast(message: ControlMessage, except?: WorkerProcess): void {
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

  /** As `apply`, but rejects if a worker does not acknowledge in time: then not all of them serve the responses. */
  async serveChallenges(responses: OpenChallengeResponses): Promise<void> {
    const { applyWaitMs = 5_000 } = this.#options;
    const responded = Promise.all([...this.#workers].map((worker) => worker.serveChallenges(responses)));
    const over = new AbortController();
    const late = pause(applyWaitMs, over.signal).then((inVain) => {
      if (inVain)
        throw new WorkerError('worker-late', `a worker did not take challenge responses within ${applyWaitMs} ms`);
    });
    try {
      await Promise.race([responded, late]);
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
    const drained = worker.drain(deadlineMs);
    this.#events?.onRetiring(worker);
    await drained;
    this.#retiring.delete(worker);
    if (this.#workers.delete(worker)) this.#events?.onEnded(worker, 'drained');
  }

  async #launch(): Promise<void> {
    const { startWaitMs = 60_000, owner } = this.#options;
    const events = this.#events;
    if (events === undefined) throw new TypeError('the fleet is started before it launches workers');
    const worker = events.launch();
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
    events.onServing(worker);
    this.#servingSinceMs.set(worker, performance.now());
    const ended = worker.ended.then((how) => {
      if (this.#retiring.has(worker) || !this.#workers.delete(worker)) return;
      events.onEnded(worker, 'crashed');
      if (!this.#unusable.has(worker)) this.#afterCrash(worker, how);
    });
    guardPromise(owner, ended);
  }

  #afterCrash(worker: WorkerProcess, how: string): void {
    const servedMs = this.#countCrash(worker);
    if (this.#stopping.signal.aborted) return;
    this.#options.logger.error({ worker: worker.pid, how, servedMs }, 'a worker crashed; it is replaced');
    this.#inBackground(this.#launchAnother());
  }

  /**
   * Replaces a worker that cannot be relied on any more, because an error in it passed every guard: the new one serves
   * before it drains.
   */
  replace(worker: WorkerProcess, why: string): void {
    if (this.#stopping.signal.aborted || this.#retiring.has(worker) || this.#unusable.has(worker)) return;
    this.#unusable.add(worker);
    const servedMs = this.#countCrash(worker);
    this.#options.logger.error(
      { worker: worker.pid, why, servedMs },
      'a worker is unusable; it is replaced and drains',
    );
    const replaced = this.#launchAnother().then(async () => {
      if (this.#workers.has(worker) && !this.#stopping.signal.aborted)
        await this.#retire(worker, this.#options.drainMs);
    });
    this.#inBackground(replaced.finally(() => this.#unusable.delete(worker)));
  }

  /** Ends a worker that a plug-in keeps from serving: what it has in flight is lost, and another one takes its place. */
  endBlocked(worker: WorkerProcess, plugin: string): void {
    if (!this.#workers.has(worker)) return;
    this.#options.logger.error({ worker: worker.pid, plugin }, 'a worker that a plug-in blocks is replaced');
    worker.kill();
  }

  /** @returns how long it served, in milliseconds */
  #countCrash(worker: WorkerProcess): number {
    const servedMs = Math.round(performance.now() - (this.#servingSinceMs.get(worker) ?? performance.now()));
    this.#crashesInARow = servedMs >= settledMs ? 1 : this.#crashesInARow + 1;
    return servedMs;
  }

  #inBackground(work: Promise<void>): void {
    const replacing = work.catch((error: unknown) => this.#options.owner.onFault(error));
    this.#replacing.add(replacing);
    guardPromise(
      this.#options.owner,
      replacing.then(() => this.#replacing.delete(replacing)),
    );
  }

  async #launchAnother(): Promise<void> {
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
