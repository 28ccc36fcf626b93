import type { TraceIds } from './trace-ids.ts';

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
  /** Of the last attempt at an endpoint, which gets it as its parent. */
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
  /** `TRUSTED_PROXIES` vouches for the other end: its decision to sample counts. */
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
  const follows = sampler.parentBased && trusted && parent !== undefined;
  const attemptId = ids.spanId();
  return {
    traceId: parent?.traceId ?? ids.traceId(),
    parentId: parent?.parentId ?? '',
    spanId: flipped(attemptId),
    attemptId,
    sampled: follows ? parent.sampled : share >= 1 || (share > 0 && lotOf(attemptId) < share),
    // Without a usable traceparent the rest has to go (section 4.3).
    traceState: parent === undefined ? '' : (traceState ?? ''),
  };
}

/** From 0 to below 1, of the first 32 bits of an id that the proxy made itself. */
function lotOf(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16) / 2 ** 32;
}

/** Another id as random as the first, for half the randomness: its last digit is another one. */
function flipped(id: string): string {
  return id.slice(0, 15) + (flippedDigits[Number.parseInt(id.charAt(15), 16)] as string);
}

const flippedDigits = Array.from('89abcdef01234567');

/** The `traceparent` that the endpoint gets. */
export function traceParentOf({ traceId, attemptId, sampled }: RequestTrace): string {
  return `00-${traceId}-${attemptId}-${sampled ? '01' : '00'}`;
}
