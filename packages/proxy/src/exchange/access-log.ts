import { type FaultOwner, guard, type OutputStream } from '@swarmgate/runtime';
import { asCombined, asCommon, asJson } from './access-log-line.ts';
import type { AccessRecord } from './access-record.ts';

export type AccessLogFormat = 'json' | 'common' | 'combined';

const formats = { json: asJson, common: asCommon, combined: asCombined } as const;

/**
 * Workers share the standard output, mostly a pipe: only a write of at most `PIPE_BUF` bytes (4,096 on Linux, pipe(7)) comes
 * out in one piece where the pipe is full. A longer line may be cut by another worker's there.
 */
const atomicBytes = 4_096;

export interface AccessLogOptions {
  readonly format: AccessLogFormat;
  /** `ACCESS_LOG_QUERY`. Default `true`. */
  readonly withQuery?: boolean;
  readonly write: OutputStream;
  /** Lines that wait for a slow reader; more are dropped and counted. Default 10,000. */
  readonly mostWaiting?: number;
  /** And at most so many characters of them: a path may be as long as a head. Default 8 Mi. */
  readonly mostWaitingLength?: number;
  readonly now?: () => Date;
  /** From 0 to below 1: which requests of a sampled route get a line. Default `Math.random`. */
  readonly random?: () => number;
}

/** Writes one line per exchange, in batches off the hot path. A reader that does not keep up costs lines, never time. */
export class AccessLog implements FaultOwner {
  readonly #flushLater = guard(this, () => this.#flush());
  readonly #flushDrained = guard(this, () => {
    this.#blocked = false;
    this.#flush();
  });
  readonly #options: AccessLogOptions;
  readonly #mostWaiting: number;
  readonly #mostWaitingLength: number;
  readonly #now: () => Date;
  readonly #random: () => number;
  #waiting: string[] = [];
  #waitingLength = 0;
  #scheduled = false;
  #blocked = false;
  #dropped = 0;

  constructor(options: AccessLogOptions) {
    this.#options = options;
    this.#mostWaiting = options.mostWaiting ?? 10_000;
    this.#mostWaitingLength = options.mostWaitingLength ?? 8 * 1_024 * 1_024;
    this.#now = options.now ?? (() => new Date());
    this.#random = options.random ?? Math.random;
  }

  /** Lines that were not written because too many waited. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes the share that the route's `accessLog` sets. */
  add(report: AccessRecord): void {
    const choice = report.route?.destination.accessLog;
    if (choice !== undefined && (choice === 'off' || this.#random() * choice.every >= 1)) return;
    if (this.#waiting.length >= this.#mostWaiting || this.#waitingLength >= this.#mostWaitingLength) {
      this.#dropped += 1;
      return;
    }
    const line = formats[this.#options.format](report, this.#now(), this.#options.withQuery ?? true);
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    setImmediate(this.#flushLater);
  }

  /** Lines could not be written: they count as dropped, and the next ones are tried. */
  onFault(): void {
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#scheduled = false;
    this.#blocked = false;
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#blocked) return;
    const lines = this.#waiting;
    let from = 0;
    while (from < lines.length && !this.#blocked) from = this.#writePiece(lines, from);
    this.#waiting = lines.slice(from);
    this.#waitingLength = this.#waiting.reduce((sum, line) => sum + line.length, 0);
  }

  /** One write of as many lines as it may hold, at least one. Returns the place behind them. */
  #writePiece(lines: readonly string[], from: number): number {
    let to = from;
    let bytes = 0;
    do {
      bytes += Buffer.byteLength(lines[to] as string) + 1;
      to += 1;
    } while (to < lines.length && bytes + Buffer.byteLength(lines[to] as string) < atomicBytes);
    const { write } = this.#options;
    write.write(`${lines.slice(from, to).join('\n')}\n`);
    // What waits in the stream is joined to one write that may be cut: the next piece comes when it is gone.
    if (write.writableLength > 0) {
      this.#blocked = true;
      write.write('', this.#flushDrained);
    }
    return to;
  }
}
