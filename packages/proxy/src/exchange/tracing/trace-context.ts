import { sampledLine, spanIdIn, type TraceIds, traceIdIn, traceParentIn } from './trace-ids.ts';

/** W3C Trace Context (https://www.w3.org/TR/trace-context/): the caller's identification of the trace that a request belongs to. */
export interface TraceParent {
  /** 32 hex digits. */
  readonly traceId: string;
  /** The caller's span, 16 hex digits. */
  readonly parentId: string;
  readonly sampled: boolean;
}

/** The trace of one exchange. Its ids are made for every request, also where no span is exported. */
export interface RequestTrace {
  readonly traceId: string;
  /** Empty where the caller named none. */
  readonly parentId: string;
  /** Of the span of the whole exchange. */
  readonly spanId: string;
  /** Of the first attempt at an endpoint, which gets it as its parent: see `attemptIdOf`. */
  readonly attemptId: string;
  /** Decided when the request came; 5xx and slow ones are exported without it. */
  readonly sampled: boolean;
  /** As the caller sent it; empty where it sent none. */
  readonly traceState: string;
}

/** `OTEL_TRACES_SAMPLER` with its argument. */
export interface Sampler {
  /** A trusted caller's decision is followed. */
  readonly parentBased: boolean;
  /** Share of the requests that start a trace here, or whose caller is not trusted: from 0 to 1. */
  readonly ratio: number;
}

// Version, trace id, parent id, flags; a later version may append more after another hyphen (section 3.2.4).
const parentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** `undefined`: none was sent, or it cannot be used, and the trace begins here. Several are as good as none. */
export function parseTraceParent(value: string | undefined): TraceParent | undefined {
  if (value === undefined) return undefined;
  const found = parentPattern.exec(value.trim());
  if (found === null) return undefined;
  const [, version = '', traceId = '', parentId = '', flags = '', more] = found;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export interface TraceStart {
  readonly parent: TraceParent | undefined;
  readonly traceState: string | undefined;
  /** The other end is in `TRUSTED_PROXIES`: its decision to sample counts. */
  readonly trusted: boolean;
  /** The route's `traceSample`; default the sampler's ratio. */
  readonly ratio: number | undefined;
}

/**
 * Joins the caller's trace, or begins one. A stranger's decision does not count, nor does its trace id, which it could have
 * chosen for a sampler that uses ids: the proxy samples by itself.
 */
export function beginTrace(
  { parent, traceState, trusted, ratio }: TraceStart,
  sampler: Sampler,
  ids: TraceIds,
): RequestTrace {
  const share = ratio ?? sampler.ratio;
  const { line, lot } = ids.next();
  // OpenTelemetry samples what is at or above the rejected share (consistent probability sampling).
  const isDrawn = lot >= 1 - share;
  if (parent === undefined) return new BegunTrace(isDrawn ? sampledLine(line) : line, isDrawn);
  const follows = sampler.parentBased && trusted;
  return new JoinedTrace(parent, spanIdIn(line), follows ? parent.sampled : isDrawn, traceState ?? '');
}

/** A trace that begins here. It is the line that the endpoint gets; what only exported spans and logs need is read from it. */
class BegunTrace implements RequestTrace {
  readonly line: string;
  readonly sampled: boolean;

  constructor(line: string, sampled: boolean) {
    this.line = line;
    this.sampled = sampled;
  }

  get traceId(): string {
    return traceIdIn(this.line);
  }

  get parentId(): string {
    return '';
  }

  get attemptId(): string {
    return spanIdIn(this.line);
  }

  get spanId(): string {
    return flipped(this.attemptId);
  }

  /** Without a usable traceparent the rest has to go (section 4.3). */
  get traceState(): string {
    return '';
  }
}

class JoinedTrace implements RequestTrace {
  readonly traceId: string;
  readonly parentId: string;
  readonly attemptId: string;
  readonly sampled: boolean;
  readonly traceState: string;

  constructor({ traceId, parentId }: TraceParent, attemptId: string, sampled: boolean, traceState: string) {
    this.traceId = traceId;
    this.parentId = parentId;
    this.attemptId = attemptId;
    this.sampled = sampled;
    this.traceState = traceState;
  }

  get spanId(): string {
    return flipped(this.attemptId);
  }
}

/** Another id as random as the first, for half the randomness: its last digit is another one. */
function flipped(id: string): string {
  return id.slice(0, 15) + (flippedDigits[Number.parseInt(id.charAt(15), 16)] as string);
}

/**
 * The span of one attempt at an endpoint.
 * @param attempt 0 is the first; up to 255
 */
export function attemptIdOf({ attemptId }: RequestTrace, attempt: number): string {
  if (attempt === 0) return attemptId;
  const digits = (Number.parseInt(attemptId.slice(13, 15), 16) ^ attempt).toString(16).padStart(2, '0');
  return attemptId.slice(0, 13) + digits + attemptId.charAt(15);
}

const flippedDigits = Array.from('89abcdef01234567');

/** The `traceparent` that the endpoint gets. */
export function traceParentOf(trace: RequestTrace): string {
  if (trace instanceof BegunTrace) return traceParentIn(trace.line);
  const { traceId, attemptId, sampled } = trace;
  return `00-${traceId}-${attemptId}-${sampled ? '01' : '00'}`;
}

/** The same as a header line, with its CRLF. */
export function traceParentLineOf(trace: RequestTrace): string {
  return trace instanceof BegunTrace ? trace.line : `traceparent: ${traceParentOf(trace)}\r\n`;
}
