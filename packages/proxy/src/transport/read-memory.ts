import { setFlagsFromString } from 'node:v8';
import { garbageCollector } from '@swarmgate/runtime';

/** Between two collections, of what clients send. */
const collectEveryBytes = 4_194_304;

/**
 * Gives the memory of what clients sent back before V8 looks for it. Node reads each piece into memory outside V8's heap, of
 * up to 64 KB. V8 counts it, and some 16 MB of it start a collection of the whole heap: at the speed of a loopback that was
 * one after the other, in which each turn of the event loop waited for up to 25 ms. A young collection looks only at what is new, and takes
 * 0.3 to 1 ms.
 */
export class ReadMemory {
  readonly #collect: () => void;
  readonly #later: (act: () => void) => void;
  #sinceBytes = 0;

  /** @param later calls back when what was read in this turn of the event loop has been acted upon */
  constructor(collect: () => void, later: (act: () => void) => void) {
    this.#collect = collect;
    this.#later = later;
  }

  /** @param bytes that were read into memory of their own */
  count(bytes: number): void {
    this.#sinceBytes += bytes;
    if (this.#sinceBytes < collectEveryBytes) return;
    this.#sinceBytes = 0;
    this.#later(this.#collect);
  }
}

let collectYoung: (() => void) | undefined;

/** Of this process. */
export const readMemory = new ReadMemory(
  () => {
    collectYoung ??= youngCollector();
    collectYoung();
  },
  (act) => void setImmediate(act),
);

function youngCollector(): () => void {
  const collect = garbageCollector();
  // Freed by a thread, the memory would still count until that has had its turn, on a busy core long after.
  if (collect !== undefined) setFlagsFromString('--no-concurrent-array-buffer-sweeping');
  return () => collect?.({ type: 'minor', execution: 'sync' });
}
