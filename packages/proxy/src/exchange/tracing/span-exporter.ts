import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { backoffMs, type Logger, pause, retryAfterMs, SwarmgateError, Tasks } from '@swarmgate/runtime';
import { type Envelope, envelopeOf, type SpanOptions, spanCountOf, type TracedExchange } from './otlp-spans.ts';
import type { RetryAfter } from './post-response.ts';
import { postSpans } from './post-spans.ts';
import type { CollectorTls, SecurePosts } from './secure-posts.ts';
import { SpanBatch } from './span-batch.ts';
import { SpanTemplates } from './span-templates.ts';

export interface SpanExporterOptions {
  /** Where batches are posted: `…/v1/traces`. */
  readonly url: URL;
  /** `OTEL_EXPORTER_OTLP_HEADERS`. Never logged. */
  readonly headers: Readonly<Record<string, string>>;
  /** Default: that of Node. */
  readonly tls?: CollectorTls;
  /** Default `none`. */
  readonly compression?: 'none' | 'gzip';
  /** Attributes of this proxy: see `resourceOf`. */
  readonly resource: string;
  readonly version: string;
  /** Default: see each. */
  readonly spans?: SpanOptions;
  /** `OTEL_BSP_*`, `OTEL_EXPORTER_OTLP_TIMEOUT`. */
  readonly mostQueuedSpans: number;
  readonly mostSpansPerBatch: number;
  readonly scheduleMs: number;
  readonly timeoutMs: number;
  /** Time before the second try, in milliseconds, doubled up to 5,000. Default 500. */
  readonly firstBackoffMs?: number;
  readonly logger: Logger;
  /** Default: tasks whose faults only the log shows. */
  readonly tasks?: Pick<Tasks, 'run'>;
}

export interface ExportedSpans {
  readonly exported: number;
  /** Not queued, because the collector did not keep up or was away. */
  readonly dropped: number;
  /** The collector refused them, or did not take them after all tries. */
  readonly failed: number;
}

/** Statuses after which the same batch may be sent again (OTLP specification, "Retryable response codes"). */
const retryable = new Set([429, 502, 503, 504]);
const mostTries = 5;
/** The queue overflows for as long as a batch waits: a longer Retry-After of the collector counts as this, in milliseconds. */
const mostWaitMs = 60_000;
/**
 * So many exchanges are written at once: code that runs once in a hundred requests has left the processor's caches each time.
 * More would keep records alive into the old generation.
 */
const exchangesPerWriting = 16;

/** Posts spans in batches, behind a bounded queue: a collector that is slow or away costs spans, never a request's time. */
export class SpanExporter {
  readonly #options: SpanExporterOptions;
  /** Loaded with the first batch, where the collector is reached over TLS: Node's client takes 4 MB. */
  #secure: SecurePosts | undefined;
  readonly #ending = new AbortController();
  readonly #counts = { exported: 0, dropped: 0, failed: 0 };
  readonly #envelope: Envelope;
  readonly #templates: SpanTemplates;
  #filling = new SpanBatch();
  /** Counted as queued, not yet written into a batch. */
  readonly #unwritten: TracedExchange[] = [];
  #unwrittenSpans = 0;
  readonly #full: SpanBatch[] = [];
  /** Sent, to be filled again. */
  readonly #spare: SpanBatch[] = [];
  #queuedSpans = 0;
  #wake: (() => void) | undefined;
  #running: Promise<void>;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    this.#envelope = envelopeOf(options.resource, options.version);
    this.#templates = new SpanTemplates(options.spans ?? {});
    const { tasks = new Tasks({ logger: options.logger }) } = options;
    this.#running = tasks.run('span-exporter', this.#ending.signal, () => this.#run());
  }

  counts(): ExportedSpans {
    return this.#counts;
  }

  /** Spans that wait, without those that are under way. */
  get queuedSpans(): number {
    return this.#queuedSpans;
  }

  add(exchange: TracedExchange): void {
    const spans = spanCountOf(exchange.record);
    const { mostQueuedSpans, mostSpansPerBatch } = this.#options;
    if (this.#queuedSpans + spans > mostQueuedSpans) {
      this.#counts.dropped += spans;
      return;
    }
    this.#queuedSpans += spans;
    this.#unwritten.push(exchange);
    this.#unwrittenSpans += spans;
    const isFull = this.#filling.spans + this.#unwrittenSpans >= mostSpansPerBatch;
    if (isFull || this.#unwritten.length === exchangesPerWriting) this.#write();
    if (!isFull) return;
    this.#full.push(this.#filling);
    this.#filling = this.#spare.pop() ?? new SpanBatch();
    this.#wake?.();
  }

  #write(): void {
    this.#unwrittenSpans = 0;
    for (const exchange of this.#unwritten.splice(0))
      this.#filling.add(this.#templates.spansOf(exchange), spanCountOf(exchange.record));
  }

  /** Sends what is queued, once, within the timeout of one batch. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#wake?.();
    await this.#running;
    this.#running = Promise.resolve();
    this.#secure?.stop();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      if (this.#full.length === 0) await this.#pauseOrWake();
      await this.#sendBatch();
    }
    while (this.#full.length + this.#unwritten.length > 0 || !this.#filling.isEmpty) await this.#sendBatch();
  }

  #pauseOrWake(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, this.#options.scheduleMs).unref();
      this.#wake = done;
      if (this.#ending.signal.aborted) done();
    });
  }

  async #sendBatch(): Promise<void> {
    let batch = this.#full.shift();
    if (batch === undefined) {
      this.#write();
      if (this.#filling.isEmpty) return;
      batch = this.#filling;
      this.#filling = this.#spare.pop() ?? new SpanBatch();
    }
    // Spans under way no longer count as queued: the next ones have room meanwhile.
    this.#queuedSpans -= batch.spans;
    await this.#send(batch);
    batch.clear();
    if (this.#spare.length === 0) this.#spare.push(batch);
  }

  async #send(batch: SpanBatch): Promise<void> {
    const { logger, url, firstBackoffMs = 500 } = this.#options;
    const { spans } = batch;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#post(batch.bytes());
      if (outcome.kind === 'taken') {
        const rejected = Math.min(outcome.rejected, spans);
        this.#counts.exported += spans - rejected;
        this.#counts.failed += rejected;
        if (rejected > 0) logger.warn({ collector: url.host, spans: rejected, why: outcome.why }, 'spans rejected');
        return;
      }
      const mayRetry = outcome.mayRetry && attempt + 1 < mostTries && !this.#ending.signal.aborted;
      const waitMs = Math.max(
        backoffMs(attempt, firstBackoffMs, 5_000),
        Math.min(outcome.retryAfterMs ?? 0, mostWaitMs),
      );
      if (mayRetry && (await pause(waitMs, this.#ending.signal))) continue;
      this.#counts.failed += spans;
      logger.warn({ collector: url.host, spans, err: outcome.error }, 'spans not exported');
      return;
    }
  }

  async #post(spans: Buffer): Promise<Outcome> {
    const { before, after } = this.#envelope;
    const { url, headers, timeoutMs, compression } = this.#options;
    const plain = Buffer.concat([before, spans, after]);
    const isZipped = compression === 'gzip';
    const body = isZipped ? await zipped(plain) : plain;
    const fields = {
      ...headers,
      'content-type': 'application/json',
      ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
    };
    const posts = url.protocol === 'https:' ? await this.#securePosts() : undefined;
    const outcome = await (posts?.post(url, fields, body, timeoutMs) ?? postSpans(url, fields, body, timeoutMs));
    if (outcome.kind === 'failed') return { kind: 'not-taken', mayRetry: outcome.mayRetry, error: outcome.error };
    return outcomeOf(outcome.status, outcome.body, outcome.retryAfter);
  }

  async #securePosts(): Promise<SecurePosts> {
    const { SecurePosts } = await import('./secure-posts.ts');
    this.#secure ??= new SecurePosts(this.#options.tls);
    return this.#secure;
  }
}

const zipped = promisify<Buffer, Buffer>(gzip);

type Outcome =
  | { readonly kind: 'taken'; readonly rejected: number; readonly why: string }
  | {
      readonly kind: 'not-taken';
      readonly mayRetry: boolean;
      /** The collector's Retry-After. */
      readonly retryAfterMs?: number | undefined;
      readonly error: Error;
    };

function outcomeOf(status: number, text: string, { retryAfter, date }: RetryAfter): Outcome {
  if (status >= 200 && status < 300) return { kind: 'taken', ...rejectedOf(text) };
  return {
    kind: 'not-taken',
    mayRetry: retryable.has(status),
    retryAfterMs: retryAfterMs(retryAfter, date, Date.now()),
    error: new SwarmgateError('spans-refused', `HTTP status ${status}`),
  };
}

/** OTLP's partial success: 200, and how many of the spans were not taken. */
function rejectedOf(text: string): { readonly rejected: number; readonly why: string } {
  try {
    const reply = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: unknown; errorMessage?: unknown } };
    const { rejectedSpans = 0, errorMessage = '' } = reply.partialSuccess ?? {};
    const rejected = Number(rejectedSpans);
    return {
      rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0,
      why: String(errorMessage).slice(0, 500),
    };
  } catch {
    return { rejected: 0, why: '' };
  }
}
