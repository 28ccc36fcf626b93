import { fstatSync, write, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Where lines go. Writing never throws and never waits. */
export interface OutputStream {
  /** @param done called when this and all before has left, or was dropped because the output fails */
  write(text: string, done?: () => void): unknown;
  /** Bytes or characters that have not left yet. */
  readonly writableLength: number;
}

let opened: OutputStream | undefined;

/**
 * The standard output of this process for what it writes as long as it lives. A reader that does not read, has closed its pipe,
 * or a full disk costs what is written, never the process: `process.stdout` writes to a file synchronously and is closed for
 * good by its first error, and a synchronous write waits for the reader of a pipe.
 */
export function standardOutput(): OutputStream {
  opened ??= isFile(1) ? new FileOutput(1) : new PipeOutput(process.stdout);
  return opened;
}

function isFile(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFile() || (stat.isCharacterDevice() && !isatty(fd));
  } catch {
    return false;
  }
}

/** A pipe, a socket or a terminal. One that has failed takes nothing any more. */
class PipeOutput implements OutputStream {
  readonly #stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    stream.on('error', () => undefined);
  }

  get writableLength(): number {
    return this.#stream.destroyed ? 0 : this.#stream.writableLength;
  }

  write(text: string, done?: () => void): void {
    this.#stream.write(text, done === undefined ? undefined : () => done());
  }
}

/** A file or a device: one write at a time, in another thread. What a full disk does not take is dropped, and the next text is tried. */
export class FileOutput implements OutputStream {
  readonly #fd: number;
  #waiting: { readonly text: string; readonly done: (() => void) | undefined }[] = [];
  #isWriting = false;
  writableLength = 0;

  constructor(fd: number) {
    this.#fd = fd;
    process.once('exit', () => this.#flush());
  }

  write(text: string, done?: () => void): void {
    this.#waiting.push({ text, done });
    this.writableLength += text.length;
    if (!this.#isWriting) this.#next();
  }

  #next(): void {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    this.#isWriting = true;
    const bytes = Buffer.from(batch.map(({ text }) => text).join(''));
    this.#writeFrom(bytes, 0, () => {
      this.#isWriting = false;
      for (const { text } of batch) this.writableLength -= text.length;
      this.#next();
      for (const { done } of batch) done?.();
    });
  }

  /** A disk takes a part where it becomes full. */
  #writeFrom(bytes: Buffer, from: number, done: () => void): void {
    if (from === bytes.length) done();
    else
      write(this.#fd, bytes, from, bytes.length - from, null, (error, written) => {
        if (error === null) this.#writeFrom(bytes, from + written, done);
        else done();
      });
  }

  #flush(): void {
    try {
      writeSync(this.#fd, this.#waiting.map(({ text }) => text).join(''));
    } catch {
      // The process ends, and its output fails.
    }
  }
}
