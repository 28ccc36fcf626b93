import { Worker } from 'node:worker_threads';
import { type FaultOwner, guard } from '@swarmgate/runtime';

/** A plug-in that has kept the event loop of a process for so long blocks it, in milliseconds. */
export const blockedAfterMs = 2_000;

/** A plug-in keeps the event loop of a process, or has kept it. */
export interface BlockReport {
  /** Its name, or those of all where any of them may be the one. */
  readonly plugin: string;
  /** At least, in milliseconds. */
  readonly blockedMs: number;
  /** Where it runs, innermost call first, one a line. Absent where that cannot be found out. */
  readonly stack?: string;
}

/** What the thread is started with. */
export interface BlockWatchData {
  /** Int32: beats of the event loop; the plug-in that runs, by its place in `plugins` and counted from 1, or 0. */
  readonly shared: SharedArrayBuffer;
  readonly plugins: readonly { readonly name: string; readonly path: string }[];
  /** Descriptor that takes a report as a line of JSON. Absent: the process itself reads it, once it is free again. */
  readonly reportFd?: number;
  readonly afterMs: number;
  readonly looks: number;
}

export interface BlockWatchOptions {
  readonly plugins: BlockWatchData['plugins'];
  readonly reportFd?: number;
  readonly onBlocked: (report: BlockReport) => void;
  /** Gets an error of the thread: plug-ins run as before, and none that blocks is found. */
  readonly owner: FaultOwner;
  /** Default `blockedAfterMs`. */
  readonly afterMs?: number;
}

/** The thread looks so often within `afterMs`. */
const looks = 10;

/**
 * Watches from a thread of its own whether the event loop turns: a process whose loop a plug-in keeps cannot report that.
 * Costs two atomic operations for each call of a plug-in.
 */
export class BlockWatch {
  readonly #beats: Int32Array;
  readonly #places: ReadonlyMap<string, number>;
  readonly #timer: NodeJS.Timeout;
  readonly #thread: Worker;

  constructor({ plugins, reportFd, onBlocked, owner, afterMs = blockedAfterMs }: BlockWatchOptions) {
    const shared = new SharedArrayBuffer(8);
    const beats = new Int32Array(shared);
    this.#beats = beats;
    this.#places = new Map(plugins.map(({ name }, at) => [name, at + 1]));
    const workerData: BlockWatchData = {
      shared,
      plugins,
      afterMs,
      looks,
      ...(reportFd === undefined ? {} : { reportFd }),
    };
    const resourceLimits = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 2 };
    this.#thread = new Worker(new URL('./block-watch-thread.ts', import.meta.url), {
      workerData,
      resourceLimits,
      execArgv: [],
    });
    this.#thread.on('message', guard(owner, onBlocked));
    this.#thread.on(
      'error',
      guard(owner, (error: unknown) => owner.onFault(error)),
    );
    this.#thread.unref();
    this.#timer = setInterval(
      guard(owner, () => Atomics.add(beats, 0, 1)),
      afterMs / looks / 2,
    );
    this.#timer.unref();
  }

  /** JavaScript of a plug-in runs. @returns what ran before, for `left` */
  entered(plugin: string): number {
    return Atomics.exchange(this.#beats, 1, this.#places.get(plugin) ?? 0);
  }

  left(before: number): void {
    Atomics.store(this.#beats, 1, before);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#thread.terminate();
  }
}
