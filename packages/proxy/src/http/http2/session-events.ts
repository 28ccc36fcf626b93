import type { ParseError } from '../parse-error.ts';
import type { Fault } from './faults.ts';
import type { HeaderField } from './header-field.ts';
import type { RefusedRequest, RequestHead, ResponseHead } from './message-head.ts';
import type { Http2Stream } from './stream.ts';

/**
 * Who ended a stream: the peer by RST_STREAM or GOAWAY, this side, or the end of the connection. `local` is also every
 * violation of the peer that costs the stream alone.
 */
export type ResetOrigin = 'peer' | 'local' | 'connection';

export interface StreamReset {
  readonly errorCode: number;
  readonly origin: ResetOrigin;
  /** What was wrong, as in `Fault`; or `reset`, `goaway`, `closed`. */
  readonly cause: string;
  /**
   * Client: the peer has not processed the request, which may be sent again whatever its method (RFC 9113, section 8.7).
   */
  readonly unprocessed: boolean;
}

/** What both roles report. Ranges of bytes are valid during the call. */
export interface SessionEvents {
  /** Body bytes. Each of them must be given to `stream.consumed` once it was passed on. */
  onData(stream: Http2Stream, bytes: Buffer, from: number, to: number): void;
  /** Trailers. `onEnd` follows. */
  onTrailers(stream: Http2Stream, fields: readonly HeaderField[]): void;
  /** The peer's message is complete. Not called where the head was called with `endStream`. */
  onEnd(stream: Http2Stream): void;
  /** The stream ended early. Not called for a `stream.reset` of the caller. Nothing follows for this stream. */
  onReset(stream: Http2Stream, reset: StreamReset): void;
  /** What `sendData` queued was sent. Not called if the end was among it. */
  onWindow(stream: Http2Stream): void;
  /** Output waits where none did: take it before the tick ends. */
  onOutput(): void;
  /** The peer's GOAWAY. Streams above `lastStream` that this side opened are reset before. */
  onGoaway(lastStream: number, errorCode: number, debug: string): void;
  /** A response to `ping`. */
  onPong(payload: Buffer): void;
  /** The peer's SETTINGS changed. */
  onSettings(): void;
  /** The connection is over: all streams are reset. Write what `takeOutput` has, then close. */
  onFault(fault: Fault): void;
  /** After `drain`: GOAWAY is sent and the last stream has ended. Write what `takeOutput` has, then close. */
  onDrained(): void;
}

export interface ServerEvents extends SessionEvents {
  onRequest(stream: Http2Stream, head: RequestHead, endStream: boolean): void;
  /**
   * A request that is refused. The handler may send a whole response within the call (400, 417, 431 by
   * `refused.error.response`); the session resets the stream afterwards, if the request was malformed.
   */
  onRefused(stream: Http2Stream, refused: RefusedRequest): void;
}

export interface ClientEvents extends SessionEvents {
  onInterim(stream: Http2Stream, head: ResponseHead): void;
  onResponse(stream: Http2Stream, head: ResponseHead, endStream: boolean): void;
}

/** `true` where an error makes the request malformed, and the stream ends in PROTOCOL_ERROR (RFC 9113, section 8.1.1). */
export function isMalformed(error: ParseError): boolean {
  return error.response === 'bad-request' || error.response === 'ambiguous-framing' || error.response === 'bad-host';
}
