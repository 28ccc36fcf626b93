import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultOwner } from '@swarmgate/runtime';

/**
 * How many connections each worker has open, in a file without a name that control process and workers have open: it is
 * memory that they share. A read or a write takes some microsecond.
 *
 * One place of 16 bytes for each worker: `open` and `taken`, which the worker writes, and `given` and `isServing`, which the
 * control process writes. `given` less `taken` are connections on their way to the worker.
 */
const placeBytes = 16;
const ofControlAt = 8;

/** What one worker has, as the others see it. */
export interface PlaceCounts {
  readonly open: number;
  readonly isServing: boolean;
}

/** Creates the file. Where no directory takes it there is none, and connections stay where they were accepted. */
export function createCountsFile(
  places: number,
  directories: readonly string[] = ['/dev/shm', tmpdir()],
): number | undefined {
  for (const directory of directories) {
    const path = join(directory, `swarmgate-connections-${process.pid}-${performance.now()}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      rmSync(path);
      writeSync(fd, Buffer.alloc(places * placeBytes), 0, places * placeBytes, 0);
      return fd;
    } catch {
      // The next directory.
    }
  }
  return undefined;
}

/** One process's view of the file. Never throws: a connection must not be lost because it could not be counted. */
export class ConnectionCounts {
  readonly #fd: number;
  readonly #owner: FaultOwner;
  readonly #bytes: Buffer;
  readonly #pair = Buffer.alloc(ofControlAt);

  #isUsable = true;

  /** @param owner gets the first error of the file, which is not used after that */
  constructor(fd: number, places: number, owner: FaultOwner) {
    this.#fd = fd;
    this.#owner = owner;
    this.#bytes = Buffer.alloc(places * placeBytes);
  }

  get places(): number {
    return this.#bytes.length / placeBytes;
  }

  /** `false`: the file cannot be read or written, and the counts are of no use any more. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Reads what all processes have written. `of` shows that until the next call. */
  read(): void {
    if (!this.#isUsable) return;
    try {
      readSync(this.#fd, this.#bytes, 0, this.#bytes.length, 0);
    } catch (error) {
      this.#fail(error);
    }
  }

  isServing(place: number): boolean {
    return this.#bytes.readUInt32LE(place * placeBytes + 12) === 1;
  }

  /** Those on their way to it are among them. */
  openOf(place: number): number {
    const at = place * placeBytes;
    const bytes = this.#bytes;
    return bytes.readUInt32LE(at) + ((bytes.readUInt32LE(at + ofControlAt) - bytes.readUInt32LE(at + 4)) >>> 0);
  }

  writeOfWorker(place: number, open: number, taken: number): void {
    this.#write(place * placeBytes, open, taken);
  }

  writeOfControl(place: number, given: number, isServing: boolean): void {
    this.#write(place * placeBytes + ofControlAt, given, isServing ? 1 : 0);
  }

  /** The number of its descriptor may soon be that of another file: nothing is read or written any more. */
  close(): void {
    this.#isUsable = false;
    closeSync(this.#fd);
  }

  #write(at: number, first: number, second: number): void {
    this.#pair.writeUInt32LE(first >>> 0, 0);
    this.#pair.writeUInt32LE(second >>> 0, 4);
    if (!this.#isUsable) return;
    try {
      writeSync(this.#fd, this.#pair, 0, this.#pair.length, at);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#isUsable = false;
    this.#owner.onFault(error);
  }
}
