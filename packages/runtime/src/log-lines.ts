import type { OutputStream } from './standard-output.ts';

/** More are dropped while the reader of the output does not keep up. */
const mostWaiting = 10_000;
const mostWaitingLength = 4 * 1_024 * 1_024;

/**
 * Lines on their way to a log whose reader may be slow: one write at a time, a bounded number waits, the rest is dropped and
 * counted in a line of its own when the reader goes on.
 */
export class LogLines {
  readonly #output: () => OutputStream;
  readonly #onDrained = () => {
    this.#isBlocked = false;
    this.#flush();
  };
  #waiting: string[] = [];
  #waitingLength = 0;
  #isBlocked = false;
  #dropped = 0;

  /** @param output called at the first line */
  constructor(output: () => OutputStream) {
    this.#output = output;
  }

  /** Takes a line with its end. */
  write(line: string): void {
    if (this.#waiting.length >= mostWaiting || this.#waitingLength + line.length > mostWaitingLength) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    this.#flush();
  }

  /** For the end of the process: hands everything that waits to the output. */
  end(): void {
    if (this.#waiting.length === 0) return;
    const output = this.#output();
    for (const line of this.#waiting.splice(0)) output.write(line);
    this.#waitingLength = 0;
  }

  #flush(): void {
    const output = this.#output();
    let written = 0;
    while (!this.#isBlocked && written < this.#waiting.length) {
      const line = this.#waiting[written++] as string;
      this.#waitingLength -= line.length;
      this.#send(output, line);
    }
    this.#waiting.splice(0, written);
    if (this.#isBlocked || this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    const time = new Date().toISOString();
    const msg = 'lines were dropped: the reader of the log did not keep up';
    this.#send(output, `${JSON.stringify({ level: 'warn', time, dropped, msg })}\n`);
  }

  #send(output: OutputStream, text: string): void {
    output.write(text);
    if (output.writableLength === 0) return;
    this.#isBlocked = true;
    output.write('', this.#onDrained);
  }
}
