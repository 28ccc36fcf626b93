import type { Route } from '../../model/route.ts';
import { jsonText, nanoseconds, type SpanOptions, spansOf, type TracedExchange } from './otlp-spans.ts';

/** Text of spans, cut where exchanges of one kind differ: literals, each with the place in `valuesOf` of what follows it. */
interface Template {
  readonly literals: readonly string[];
  readonly places: readonly number[];
  readonly last: string;
}

/** Kinds of exchanges of one route that are kept: clients choose among methods, and endpoints come and go. */
const mostKinds = 200;

// A marked exchange is written as any other, then cut at its marks. No value that routes or endpoints have holds a control
// character; JSON escapes it, ids stand as they are.
const mark = (place: number) => `\u0001${place}.`;
const markedDurationMs = 4;
const markedAttemptMs = 1;
const markedEndMs = 4e12;
const times = [markedEndMs - markedDurationMs, markedEndMs - markedDurationMs + markedAttemptMs, markedEndMs];
const anyMark = new RegExp(String.raw`(?:\u0001|\\u0001)(\d)\.|"(${times.map(nanoseconds).join('|')})"`);

/**
 * Writes the spans of exchanges that ended well from a template of their kind, the others by `spansOf`; the text is the same.
 * Sampled requests are so few that their code stays with the interpreter for long: a template takes a tenth of its steps.
 */
export class SpanTemplates {
  readonly #byRoute = new WeakMap<Route, Map<string, Template>>();
  readonly #options: SpanOptions;

  constructor(options: SpanOptions) {
    this.#options = options;
  }

  spansOf(exchange: TracedExchange): string {
    const { record, trace } = exchange;
    const { route, endpoint, status } = record;
    const isUsual =
      route !== undefined &&
      endpoint !== undefined &&
      status < 400 &&
      record.reason === undefined &&
      record.retries === 0 &&
      record.upstreamMs !== undefined &&
      trace.traceState === '' &&
      this.#options.withQuery !== true &&
      // With more of them the template would depend on the path.
      route.destination.servicePath?.length === 1;
    if (!isUsual) return spansOf(exchange, this.#options);
    const kind = `${record.method} ${status} ${record.protocol} ${record.secure} ${record.entryPort} ${trace.parentId === ''} ${endpoint.secure} ${endpoint.port} ${endpoint.host}`;
    let kinds = this.#byRoute.get(route);
    if (kinds === undefined) {
      kinds = new Map();
      this.#byRoute.set(route, kinds);
    }
    let template = kinds.get(kind);
    if (template === undefined) {
      if (kinds.size >= mostKinds) kinds.clear();
      template = templateOf(exchange, this.#options);
      kinds.set(kind, template);
    }
    return filled(template, valuesOf(exchange));
  }
}

function filled({ literals, places, last }: Template, values: readonly string[]): string {
  let text = '';
  for (let at = 0; at < literals.length; at += 1) text += (literals[at] as string) + values[places[at] as number];
  return text + last;
}

/** What exchanges of one kind differ in. The times are the last three. */
function valuesOf({ record, trace, endedAtMs }: TracedExchange): readonly string[] {
  const startedAtMs = endedAtMs - record.durationMs;
  return [
    trace.traceId,
    trace.spanId,
    trace.parentId,
    trace.attemptId,
    jsonText(record.path),
    jsonText(record.host),
    jsonText(record.clientAddress),
    `"${nanoseconds(startedAtMs)}"`,
    `"${nanoseconds(startedAtMs + record.attemptAfterMs)}"`,
    `"${nanoseconds(endedAtMs)}"`,
  ];
}

function templateOf({ record, trace }: TracedExchange, options: SpanOptions): Template {
  const marked: TracedExchange = {
    record: {
      ...record,
      path: mark(4),
      host: mark(5),
      clientAddress: mark(6),
      durationMs: markedDurationMs,
      attemptAfterMs: markedAttemptMs,
    },
    trace: {
      traceId: mark(0),
      spanId: mark(1),
      parentId: trace.parentId === '' ? '' : mark(2),
      attemptId: mark(3),
      sampled: trace.sampled,
      traceState: '',
    },
    endedAtMs: markedEndMs,
  };
  const pieces = spansOf(marked, options).split(anyMark);
  const literals: string[] = [];
  const places: number[] = [];
  for (let at = 0; at + 2 < pieces.length; at += 3) {
    literals.push(pieces[at] as string);
    const time = pieces[at + 2];
    places.push(time === undefined ? Number(pieces[at + 1]) : 7 + times.map(nanoseconds).indexOf(time));
  }
  return { literals, places, last: pieces.at(-1) as string };
}
