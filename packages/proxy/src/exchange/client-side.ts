import type { ParseError } from '../http/parse-error.ts';
import type { LocalResponse } from '../model/local-response.ts';
import type { CopiesBytes } from '../transport/response-reader.ts';
import type { ClientHead } from './client-head.ts';
import type { ConnectionCache } from './connection-cache.ts';

/**
 * How the body of a response is delimited. `length`: Content-Length is among the fields. `chunked`: the bytes come with
 * the endpoint's own chunk framing, without the last chunk. `unsized`: payload whose end is known when it comes.
 */
export type ClientFraming = 'none' | 'length' | 'chunked' | 'unsized';

/** Sends one response. Made by a server protocol; places in `bytes` hold only during the call. */
export interface ResponseSink {
  /** Body bytes come without chunk framing: the protocol has a framing of its own, or none. */
  readonly wantsPayload: boolean;
  /** It never uses `bytes` after a call. Default: it may. */
  readonly copiesBytes?: CopiesBytes | undefined;
  /** Bytes of this response so far, head included, before TLS. */
  readonly sentBytes: number;
  /** The part of them that is no body. */
  readonly headBytes: number;
  /** The client does not keep up; its drain is reported to the exchange. */
  readonly clogged: boolean;
  /** A 1xx other than 101. */
  interim(head: ClientHead): void;
  /**
   * Head and first bytes of the body.
   * @param closes the connection closes after this response, where the protocol has such a notion
   * @returns `true` if `bytes` are still in use afterwards; `undefined` if the head cannot be sent: then nothing was
   */
  head(head: ClientHead, framing: ClientFraming, closes: boolean, piece: ResponsePiece): boolean | undefined;
  /** Returns `true` if `bytes` are still in use afterwards. */
  body(piece: ResponsePiece): boolean;
  respond(response: LocalResponse): void;
}

/** A part of a response's body. One object is used for piece after piece. */
export interface ResponsePiece {
  bytes: Buffer;
  from: number;
  to: number;
  /** The body ends with it. */
  complete: boolean;
  /** Chunk framing that stands before the bytes. */
  before: string;
  /** Trailer lines of a complete body, CRLF at the end of each. */
  trailers: string;
}

const none = Buffer.alloc(0);
const onePiece: ResponsePiece = { bytes: none, from: 0, to: 0, complete: false, before: '', trailers: '' };

/** Fills the one object that serves for all pieces: a sink reads it during the call. */
export function pieceOf(
  bytes: Buffer,
  from: number,
  to: number,
  complete: boolean,
  before: string,
  trailers: string,
): ResponsePiece {
  onePiece.bytes = bytes;
  onePiece.from = from;
  onePiece.to = to;
  onePiece.complete = complete;
  onePiece.before = before;
  onePiece.trailers = trailers;
  return onePiece;
}

/** What has come of a longer body with its head is passed on as bytes: as text it would be copied three times. */
export const longBodyBytes = 16_384;

/** The body of one request as it comes. */
export interface BodySource {
  /** All of it has been read. */
  readonly done: boolean;
  /** Trailer lines, once it is done. */
  readonly trailers: string;
  /** More than `longBodyBytes` have arrived, and no fault is in them. Default `false`. */
  readonly isLong?: boolean;
  /** Bytes of the request so far, head included, as they came. */
  readonly receivedBytes: number;
  /** Gives payload that has arrived to `take`, where it holds only during the call. Returns why the body cannot be read: nothing behind it can be either. */
  read(take: (bytes: Buffer, from: number, to: number) => void): ParseError | undefined;
  pause(): void;
  resume(): void;
}

/** What the client's side of a tunnel reports. */
export interface ClientTunnelHandler {
  /** They hold only during the call. */
  onClientBytes(bytes: Buffer): void;
  /** The client sends no more; it may still read. */
  onClientEnd(): void;
  onClientDrained(): void;
  onClientGone(): void;
}

/** The client's side of a tunnel. */
export interface ClientTunnel {
  readonly clogged: boolean;
  /** Gives the handler what the client has sent behind its request, and reads on. Called once. */
  start(): void;
  /** Returns `true` if `bytes` are still in use afterwards. */
  write(bytes: Buffer, from: number, to: number): boolean;
  /** Nothing more is sent to the client; it may still send. */
  end(): void;
  pause(): void;
  resume(): void;
  /**
   * Closes in order, after all bytes that were written; what the client still sends is dropped. `abrupt`: at once, so that
   * the client cannot take it for an orderly end.
   */
  close(abrupt: boolean): void;
}

/** One request's client: a connection of HTTP/1.1, or a stream. */
export interface ClientSide {
  readonly cache: ConnectionCache;
  readonly sink: ResponseSink;
  readonly body: BodySource;
  /** `cut`: the response is not complete, and must not look so. */
  onExchangeOver(end: 'complete' | 'cut'): void;
  /**
   * Sends the 101, or its equivalent, and turns the client into one side of a tunnel. `undefined` if the head cannot be
   * sent.
   */
  beginTunnel(head: ClientHead, protocol: string, handler: ClientTunnelHandler): ClientTunnel | undefined;
}
