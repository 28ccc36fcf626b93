import { lastChunk } from '../http/chunked-reader.ts';

/** A request on its way to an endpoint, with what has arrived of its body: all that a retry needs. */
export interface OutgoingRequest {
  readonly method: string;
  /** Request line, fields and framing of HTTP/1.1, with the empty line, as latin1. */
  readonly head: string;
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
  /** The client asked for trailers (`TE: trailers`), which only HTTP/2 endpoints are told. */
  readonly wantsTrailers?: boolean;
  /** How long the endpoint may stay silent, in milliseconds, where that is neither the route's nor the usual time. */
  readonly silenceMs?: number;
}

/** The request as HTTP/1.1 writes it, as latin1. */
export function textOf(request: OutgoingRequest): string {
  const { head, chunked, firstBytes, whole, trailers } = request;
  if (!chunked) return firstBytes === '' ? head : head + firstBytes;
  return head + chunkOf(firstBytes) + (whole ? lastChunk(trailers) : '');
}

export function chunkOf(text: string): string {
  return text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`;
}
