import { messageOf } from './errors.ts';
import type { FaultOwner } from './guard.ts';
import { backoffMs, pause } from './lifecycle.ts';
import type { Logger } from './logger.ts';

/** A control task that threw, and has not been without a fault for long enough since. */
export interface TaskFault {
  readonly task: string;
  /** Of the last error. */
  readonly message: string;
  /** Faults since the task last counted as recovered. */
  readonly times: number;
}

export interface TasksOptions {
  readonly logger: Logger;
  /** Time before a task that threw runs again, in milliseconds: doubled from the first to the most. Default 100 to 10,000. */
  readonly firstPauseMs?: number;
  readonly mostPauseMs?: number;
  /** A task counts as recovered after this time without a fault, in milliseconds. Default 60,000. */
  readonly recoveredMs?: number;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

interface Known {
  message: string;
  times: number;
  atMs: number;
}

/**
 * The long-lived tasks of a process that belong to no request. A task that throws costs nothing but itself: the error is
 * logged with its stack, the task runs again after a pause that grows, and `faults` lists it until it has recovered.
 */
export class Tasks {
  readonly #options: TasksOptions;
  readonly #now: () => number;
  readonly #faults = new Map<string, Known>();

  constructor(options: TasksOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Runs the work until it resolves or the signal aborts, again and again where it throws. Never rejects. */
  async run(task: string, signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
    while (!signal.aborted) {
      try {
        await work();
        return;
      } catch (error) {
        if (signal.aborted) return;
        await pause(this.#failed(task, error), signal);
      }
    }
  }

  /** Runs a step every so many milliseconds until the signal aborts. Never rejects. */
  every(task: string, everyMs: number, signal: AbortSignal, step: () => void): Promise<void> {
    return this.run(task, signal, async () => {
      while (await pause(everyMs, signal)) step();
    });
  }

  /** Owner of callbacks of a task: the event that one of them threw at is lost, the next one is taken. */
  owner(task: string): FaultOwner {
    return {
      onFault: (error) => {
        this.#failed(task, error);
      },
    };
  }

  /** Tasks that have not recovered, in the order of their names. */
  faults(): readonly TaskFault[] {
    const since = this.#now() - (this.#options.recoveredMs ?? 60_000);
    for (const [task, { atMs }] of this.#faults) if (atMs < since) this.#faults.delete(task);
    return [...this.#faults]
      .map(([task, { message, times }]) => ({ task, message, times }))
      .toSorted((one, other) => (one.task < other.task ? -1 : 1));
  }

  /** @returns the pause before it runs again, in milliseconds */
  #failed(task: string, error: unknown): number {
    const { logger, firstPauseMs = 100, mostPauseMs = 10_000, recoveredMs = 60_000 } = this.#options;
    const known = this.#faults.get(task);
    const atMs = this.#now();
    const times = known === undefined || atMs - known.atMs > recoveredMs ? 1 : known.times + 1;
    this.#faults.set(task, { message: messageOf(error), times, atMs });
    const afterMs = Math.round(backoffMs(times - 1, firstPauseMs, mostPauseMs));
    logger.error({ err: error, task, times, afterMs }, 'a control task failed; it is restarted');
    return afterMs;
  }
}

/**
 * Owner of what a loop starts and does not await: the loop throws the first fault in its next turn, so that it counts as a
 * fault of its task.
 */
export class LoopFaults implements FaultOwner {
  #first: { readonly error: unknown } | undefined;

  onFault(error: unknown): void {
    this.#first ??= { error };
  }

  /** Throws the first fault since the last call. */
  throwFirst(): void {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) throw first.error;
  }
}
