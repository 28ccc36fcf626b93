import { lastChunk } from '../http/chunked-reader.ts';
import { type Http2RequestHead, http1RequestHead } from '../http/http2/http1-heads.ts';
import type { Endpoint } from '../model/endpoint.ts';

/**
 * A head for an endpoint: request line, fields and framing of HTTP/1.1, with the empty line, as latin1; or, where the
 * endpoint is known to speak it, the head of HTTP/2. Every transport takes both.
 */
export type OutgoingHead = string | Http2RequestHead;

/** A request on its way to an endpoint, with what has arrived of its body: all that a retry needs. */
export interface OutgoingRequest {
  readonly method: string;
  readonly head: OutgoingHead;
  /** The body is sent in chunks. */
  readonly chunked: boolean;
  /** First bytes of the body, as latin1. */
  readonly firstBytes: string;
  /** `firstBytes` is the whole body. */
  readonly whole: boolean;
  /** Trailer lines of a whole body, CRLF at the end of each. */
  readonly trailers: string;
  /** Value of `Upgrade` that is offered, or empty: then a 101 is an error. */
  readonly upgrade: string;
  /** The client requested trailers (`TE: trailers`), which only HTTP/2 endpoints get. */
  readonly wantsTrailers?: boolean;
  /** Host that the endpoint gets. Default: the one in the head. */
  readonly hostFor?: (endpoint: Endpoint) => string;
  /** How long the endpoint may stay silent, in milliseconds, where that is neither the route's nor the usual time. */
  readonly silenceMs?: number;
}

/** The request as HTTP/1.1 writes it, as latin1. */
export function textOf(request: OutgoingRequest, endpoint: Endpoint): string {
  const { chunked, firstBytes, whole, trailers, hostFor } = request;
  const made = headText(request);
  const head = hostFor === undefined ? made : withHost(made, hostFor(endpoint));
  if (!chunked) return firstBytes === '' ? head : head + firstBytes;
  return head + chunkOf(firstBytes) + (whole ? lastChunk(trailers) : '');
}

export function headText({ head, chunked }: OutgoingRequest): string {
  return typeof head === 'string' ? head : http1RequestHead(head, chunked);
}

/** A head of HTTP/1.1 with another Host, which it may lack. */
function withHost(head: string, host: string): string {
  const lineEnd = head.indexOf('\r\n');
  const fields = head.slice(lineEnd).replace(/\r\nhost:[^\r]*/i, '');
  return `${head.slice(0, lineEnd)}\r\nHost: ${host}${fields}`;
}

export function chunkOf(text: string): string {
  return text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`;
}
