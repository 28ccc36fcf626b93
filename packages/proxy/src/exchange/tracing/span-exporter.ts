import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { backoffMs, type Logger, pause, SwarmgateError } from '@swarmgate/runtime';
import { exportOf, type SpanOptions, spanCountOf, spansOf, type TracedExchange } from './otlp-spans.ts';

export interface SpanExporterOptions {
  /** Where batches are posted: `…/v1/traces`. */
  readonly url: URL;
  /** `OTEL_EXPORTER_OTLP_HEADERS`. Never logged. */
  readonly headers: Readonly<Record<string, string>>;
  /** Attributes of this proxy: see `resourceOf`. */
  readonly resource: string;
  readonly version: string;
  readonly spans: SpanOptions;
  /** `OTEL_BSP_*`, `OTEL_EXPORTER_OTLP_TIMEOUT`. */
  readonly mostQueuedSpans: number;
  readonly mostSpansPerBatch: number;
  readonly scheduleMs: number;
  readonly timeoutMs: number;
  readonly logger: Logger;
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

/** Posts spans in batches, behind a bounded queue: a collector that is slow or away costs spans, never a request's time. */
export class SpanExporter {
  readonly #options: SpanExporterOptions;
  readonly #agent: HttpAgent;
  readonly #ending = new AbortController();
  readonly #counts = { exported: 0, dropped: 0, failed: 0 };
  #queue: TracedExchange[] = [];
  #queuedSpans = 0;
  #wake: (() => void) | undefined;
  #running: Promise<void>;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    const agent = { keepAlive: true, maxSockets: 1 };
    this.#agent = options.url.protocol === 'https:' ? new HttpsAgent(agent) : new HttpAgent(agent);
    this.#running = this.#run();
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
    if (this.#queuedSpans + spans > this.#options.mostQueuedSpans) {
      this.#counts.dropped += spans;
      return;
    }
    this.#queue.push(exchange);
    this.#queuedSpans += spans;
    if (this.#queuedSpans >= this.#options.mostSpansPerBatch) this.#wake?.();
  }

  /** Sends what is queued, once, within the timeout of one batch. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#wake?.();
    await this.#running;
    this.#running = Promise.resolve();
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      if (this.#queuedSpans < this.#options.mostSpansPerBatch) await this.#pauseOrWake();
      await this.#sendBatch();
    }
    while (this.#queue.length > 0) await this.#sendBatch();
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
    const { resource, version, spans: spanOptions, mostSpansPerBatch, logger, url } = this.#options;
    const batch: string[] = [];
    let spans = 0;
    let taken = 0;
    for (const exchange of this.#queue) {
      if (spans >= mostSpansPerBatch) break;
      batch.push(spansOf(exchange, spanOptions));
      spans += spanCountOf(exchange.record);
      taken += 1;
    }
    if (taken === 0) return;
    // Spans in a batch that is under way no longer count as queued: the next ones have room meanwhile.
    this.#queue = this.#queue.slice(taken);
    this.#queuedSpans -= spans;
    const body = exportOf(batch, resource, version);
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#post(body);
      if (outcome.kind === 'taken') {
        this.#counts.exported += spans - outcome.rejected;
        this.#counts.failed += outcome.rejected;
        return;
      }
      const mayRetry = outcome.mayRetry && attempt + 1 < mostTries && !this.#ending.signal.aborted;
      if (mayRetry && (await pause(backoffMs(attempt, 500, 5_000), this.#ending.signal))) continue;
      this.#counts.failed += spans;
      logger.warn({ collector: url.host, spans, err: outcome.error }, 'spans not exported');
      return;
    }
  }

  #post(body: string): Promise<Outcome> {
    const { url, headers, timeoutMs } = this.#options;
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve) => {
      const sent = send(
        url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
          signal: AbortSignal.timeout(timeoutMs),
        },
        (response) => {
          readAnswer(response).then(resolve, (error: Error) => resolve({ kind: 'not-taken', mayRetry: true, error }));
        },
      );
      sent.once('error', (error) => resolve({ kind: 'not-taken', mayRetry: true, error }));
      sent.end(body);
    });
  }
}

type Outcome =
  | { readonly kind: 'taken'; readonly rejected: number }
  | { readonly kind: 'not-taken'; readonly mayRetry: boolean; readonly error: Error };

const mostAnswerLength = 64 * 1_024;

async function readAnswer(response: IncomingMessage): Promise<Outcome> {
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response) if (text.length < mostAnswerLength) text += String(part);
  const { statusCode = 0 } = response;
  if (statusCode >= 200 && statusCode < 300) return { kind: 'taken', rejected: rejectedOf(text) };
  return {
    kind: 'not-taken',
    mayRetry: retryable.has(statusCode),
    error: new SwarmgateError('spans-refused', `HTTP status ${statusCode}`),
  };
}

/** OTLP's partial success: 200, and how many of the spans were not taken. */
function rejectedOf(text: string): number {
  try {
    const answer = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: string | number } };
    const rejected = Number(answer.partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}
