import type { Route } from '../../model/route.ts';
import type { AccessRecord } from '../access-record.ts';
import type { SpanExporter } from './span-exporter.ts';
import { beginTrace, parseTraceParent, type RequestTrace, type Sampler } from './trace-context.ts';
import { TraceIds } from './trace-ids.ts';

export interface TracerOptions {
  readonly sampler: Sampler;
  /** Exchanges that take as long are exported, sampled or not, in milliseconds. 0: none for that. */
  readonly slowMs: number;
  readonly exporter: Pick<SpanExporter, 'add'>;
  readonly ids?: TraceIds;
}

/** The trace headers of a request. */
export interface TraceHeaders {
  readonly traceParent: string | undefined;
  readonly traceState: string | undefined;
}

/** Gives every request its place in a trace, and decides at its end which are exported. Absent where tracing is off. */
export class Tracer {
  readonly #options: TracerOptions;
  readonly #ids: TraceIds;

  constructor(options: TracerOptions) {
    this.#options = options;
    this.#ids = options.ids ?? new TraceIds();
  }

  begin({ traceParent, traceState }: TraceHeaders, trusted: boolean, route: Route | undefined): RequestTrace {
    const ratio = route?.destination.traceSample;
    return beginTrace(
      { parent: parseTraceParent(traceParent), traceState, trusted, ratio },
      this.#options.sampler,
      this.#ids,
    );
  }

  /** Whether its spans are exported: those of sampled ones, and of 5xx and slow ones in any case. */
  end(record: AccessRecord): boolean {
    const { trace } = record;
    if (trace === undefined) return false;
    const { slowMs, exporter } = this.#options;
    // A tunnel lasts as long as its client keeps it.
    const isSlow = slowMs > 0 && record.durationMs >= slowMs && record.status !== 101;
    if (!trace.sampled && record.status < 500 && !isSlow) return false;
    exporter.add({ record, trace, endedAtMs: Date.now() });
    return true;
  }
}
