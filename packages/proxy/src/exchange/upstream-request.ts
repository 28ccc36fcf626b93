import type { ParseError } from '../http/parse-error.ts';
import type { OutgoingHead, OutgoingRequest } from '../transport/outgoing-request.ts';
import type { BodySource } from './client-side.ts';
import { attemptIdOf, type RequestTrace } from './tracing/trace-context.ts';
import type { RequestFraming } from './upstream-head.ts';

/** What has arrived of a body behind `consumed`, as latin1, unless it is long; or why it cannot be read. */
export function readText(body: BodySource, consumed: string): string | ParseError {
  return body.done || (body.isLong === true && consumed === '') ? consumed : readBehind(body, consumed);
}

function readBehind(body: BodySource, consumed: string): string | ParseError {
  let text = consumed;
  const refused = body.read((bytes, from, to) => {
    text += bytes.toString('latin1', from, to);
  });
  return refused ?? text;
}

interface ReadRequest {
  readonly method: string;
  readonly head: OutgoingHead;
  readonly framing: RequestFraming;
  readonly body: Pick<BodySource, 'done' | 'trailers'>;
  readonly firstBytes: string;
  /** How long the endpoint may stay silent, where that is not the usual time. */
  readonly silenceMs: number | undefined;
}

/** The request as it goes to an endpoint, with what has arrived of its body. */
export function outgoingRequest({ method, head, framing, body, firstBytes, silenceMs }: ReadRequest): OutgoingRequest {
  const { unsized: chunked, upgrade, wantsTrailers } = framing;
  const { done: whole } = body;
  const trailers = whole && chunked ? body.trailers : '';
  const request = { method, head, chunked, firstBytes, whole, trailers, upgrade, wantsTrailers };
  if (silenceMs === undefined && framing.hostFor === undefined) return request;
  return {
    ...request,
    ...(silenceMs === undefined ? {} : { silenceMs }),
    ...(framing.hostFor === undefined ? {} : { hostFor: framing.hostFor }),
  };
}

/** With what was sent of its body. */
export function withHeld(request: OutgoingRequest, held: string): OutgoingRequest {
  return { ...request, firstBytes: request.firstBytes + held };
}

/** The request of the next attempt: an endpoint gets the span of its own attempt as the parent. */
export function ofAttempt(request: OutgoingRequest, trace: RequestTrace | undefined, attempt: number): OutgoingRequest {
  if (trace === undefined) return request;
  const before = `-${trace.traceId}-${attemptIdOf(trace, attempt - 1)}-`;
  const after = `-${trace.traceId}-${attemptIdOf(trace, attempt)}-`;
  const { head } = request;
  if (typeof head === 'string') return { ...request, head: head.replace(before, after) };
  return { ...request, head: { ...head, flat: head.flat.map((text) => text.replace(before, after)) } };
}
