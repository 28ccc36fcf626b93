import type { ClientHead } from '../../exchange/client-head.ts';
import type { ClientFraming, ResponsePiece, ResponseSink } from '../../exchange/client-side.ts';
import { localResponse } from '../../exchange/local-responses.ts';
import { allowedTrailers } from '../../http/chunked-reader.ts';
import { bytesOf, lowered } from '../../http/http2/field-lines.ts';
import { ErrorCode } from '../../http/http2/frames.ts';
import type { LocalResponse } from '../../model/local-response.ts';
import { flatOfHead } from './flat-head.ts';
import { preparedResponse } from './prepared-response.ts';
import type { ServedStream } from './served-stream.ts';

/** What a response needs of its stream's owner. */
export interface ResponseHost {
  /** Bytes wait for the client's window: from here on the client is expected to read. */
  onBlocked(): void;
}

/** Sends the response of one stream. Its bytes are counted as those of HTTP/1.1, before compression and framing. */
export class StreamResponse implements ResponseSink {
  readonly wantsPayload = true;
  readonly copiesBytes = 'all';
  sentBytes = 0;
  headBytes = 0;
  readonly #stream: ServedStream;
  readonly #method: string;
  readonly #offersTunnel: boolean;
  readonly #host: ResponseHost;
  #discards = false;

  constructor(stream: ServedStream, method: string, offersTunnel: boolean, host: ResponseHost) {
    this.#stream = stream;
    this.#method = method;
    this.#offersTunnel = offersTunnel;
    this.#host = host;
  }

  get clogged(): boolean {
    return this.#stream.awaitsWindow;
  }

  interim(head: ClientHead): void {
    const flat = flatOfHead(head);
    if (this.#stream.sendInterim(head.status, flat)) this.countHead(flat);
  }

  head(head: ClientHead, _framing: ClientFraming, _closes: boolean, piece: ResponsePiece): boolean | undefined {
    // A success means to the client that its tunnel is open (RFC 9110, section 9.3.6).
    if (this.#offersTunnel && head.status < 300) {
      this.#discards = true;
      this.respond(localResponse('endpoint-answer-invalid'));
      return false;
    }
    this.#stream.isTunnel = false;
    const flat = flatOfHead(head);
    const ends = piece.complete && piece.to === piece.from && piece.trailers === '';
    if (!this.#stream.sendHead(head.status, flat, ends)) return undefined;
    this.countHead(flat);
    return ends ? false : this.body(piece);
  }

  body({ bytes, from, to, complete, trailers }: ResponsePiece): boolean {
    if (this.#discards) return false;
    if (!complete || trailers === '') {
      this.#send(bytes, from, to, complete);
      return false;
    }
    if (to > from) this.#send(bytes, from, to, false);
    const flat = lowered(allowedTrailers(trailers));
    if (flat.length === 0 || !this.#stream.sendTrailers(flat)) this.#send(bytes, to, to, true);
    else this.countHead(flat);
    return false;
  }

  respond(response: LocalResponse): void {
    const stream = this.#stream;
    stream.isTunnel = false;
    const { flat, headBytes, body: whole } = preparedResponse(response);
    const body = this.#method === 'HEAD' ? none : whole;
    this.sentBytes += headBytes;
    this.headBytes += headBytes;
    if (!stream.sendHead(response.status, flat, body.length === 0)) stream.reset(ErrorCode.internalError);
    else if (body.length > 0) this.#send(body, 0, body.length, true);
  }

  /** Fields that were sent: of a head, or trailers. */
  countHead(flat: readonly string[]): void {
    const bytes = bytesOf(flat);
    this.sentBytes += bytes;
    this.headBytes += bytes;
  }

  #send(bytes: Buffer, from: number, to: number, end: boolean): void {
    if (to === from && !end) return;
    this.sentBytes += to - from;
    if (!this.#stream.sendData(bytes, from, to, end) && !this.#stream.closed) this.#host.onBlocked();
  }
}

const none = Buffer.alloc(0);
