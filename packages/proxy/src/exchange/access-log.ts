import type { AccessRecord } from './access-record.ts';

export interface AccessLogOptions {
  readonly format: 'json' | 'common';
  readonly write: NodeJS.WritableStream;
  /** Lines that wait for a slow reader; more are dropped and counted. Default 10,000. */
  readonly mostWaiting?: number;
  /** And at most so many characters of them: a path may be as long as a head. Default 8 Mi. */
  readonly mostWaitingLength?: number;
  readonly now?: () => Date;
  /** From 0 to below 1: which requests of a sampled route get a line. Default `Math.random`. */
  readonly random?: () => number;
}

/** Writes one line per exchange, in batches off the hot path. A reader that does not keep up costs lines, never time. */
export class AccessLog {
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

  /** Takes what the route's `accessLog` asks for. */
  add(report: AccessRecord): void {
    const choice = report.route?.destination.accessLog;
    if (choice !== undefined && (choice === 'off' || this.#random() * choice.every >= 1)) return;
    if (this.#waiting.length >= this.#mostWaiting || this.#waitingLength >= this.#mostWaitingLength) {
      this.#dropped += 1;
      return;
    }
    const line = this.#options.format === 'json' ? asJson(report, this.#now()) : asCommon(report, this.#now());
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#blocked || this.#waiting.length === 0) return;
    const lines = this.#waiting;
    this.#waiting = [];
    this.#waitingLength = 0;
    if (this.#options.write.write(`${lines.join('\n')}\n`)) return;
    this.#blocked = true;
    this.#options.write.once('drain', () => {
      this.#blocked = false;
      this.#flush();
    });
  }
}

function asJson(report: AccessRecord, at: Date): string {
  const { route, endpoint } = report;
  return JSON.stringify({
    level: 'access',
    time: at.toISOString(),
    client: report.clientAddress,
    method: report.method,
    host: report.host,
    path: report.path,
    status: report.status,
    reason: report.reason,
    cause: report.cause,
    route: route?.id,
    service: route?.key,
    endpoint: endpoint?.id,
    durationMs: rounded(report.durationMs),
    upstreamMs: report.upstreamMs === undefined ? undefined : rounded(report.upstreamMs),
    retries: report.retries,
    sentBytes: report.sentBytes,
    receivedBytes: report.receivedBytes,
    protocol: report.protocol,
    traceId: report.trace?.traceId,
    spanId: report.trace?.spanId,
  });
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The Common Log Format of the NCSA server, in UTC. */
function asCommon(report: AccessRecord, at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${two(at.getUTCDate())}/${months[at.getUTCMonth()]}/${at.getUTCFullYear()}`;
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  // Whatever a client sends stays on its line and inside its quotes.
  const path = report.path.replace(
    /["\\\p{Cc}]/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `${report.clientAddress} - - [${date}:${time} +0000] "${report.method} ${path} HTTP/1.1" ${report.status} ${report.sentBytes}`;
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
