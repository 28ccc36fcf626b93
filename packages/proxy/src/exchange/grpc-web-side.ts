import { allowedTrailers } from '../http/chunked-reader.ts';
import { Base64Pieces, type GrpcWebForm, grpcWebTypeOf, trailerFrame } from '../http/grpc/grpc-web.ts';
import type { ParseError } from '../http/parse-error.ts';
import type { LocalResponse } from '../model/local-response.ts';
import type { ClientHead } from './client-head.ts';
import {
  type BodySource,
  type ClientFraming,
  type ClientSide,
  pieceOf,
  type ResponsePiece,
  type ResponseSink,
} from './client-side.ts';

/** The client of a gRPC-Web call as an exchange of gRPC sees it: bodies are translated, trailers become the last frame. */
export function grpcWebSide(client: ClientSide, form: GrpcWebForm): ClientSide {
  return {
    cache: client.cache,
    sink: new GrpcWebSink(client.sink, form),
    body: form === 'text' ? new DecodedBody(client.body) : client.body,
    onExchangeOver: (end) => client.onExchangeOver(end),
    beginTunnel: (head, protocol, handler) => client.beginTunnel(head, protocol, handler),
  };
}

class GrpcWebSink implements ResponseSink {
  readonly wantsPayload = true;
  readonly #sink: ResponseSink;
  readonly #form: GrpcWebForm;
  /** The response is none of gRPC: an error page of the service. */
  #passes = false;
  /** Its status stands in the head. */
  #hasStatus = false;

  constructor(sink: ResponseSink, form: GrpcWebForm) {
    this.#sink = sink;
    this.#form = form;
  }

  get sentBytes(): number {
    return this.#sink.sentBytes;
  }

  get headBytes(): number {
    return this.#sink.headBytes;
  }

  get clogged(): boolean {
    return this.#sink.clogged;
  }

  interim(head: ClientHead): void {
    this.#sink.interim(head);
  }

  head(head: ClientHead, framing: ClientFraming, closes: boolean, piece: ResponsePiece): boolean | undefined {
    const type = head.headers?.get('content-type');
    if (head.headers === undefined || type === undefined || !/^application\/grpc(?:$|[+; ])/i.test(type)) {
      this.#passes = true;
      return this.#sink.head(head, framing, closes, piece);
    }
    head.headers.set('content-type', grpcWebTypeOf(type, this.#form));
    head.headers.delete('content-length');
    head.headers.delete('trailer');
    this.#hasStatus = head.headers.has('grpc-status');
    return this.#sink.head(head, 'unsized', closes, this.#translated(piece));
  }

  body(piece: ResponsePiece): boolean {
    return this.#sink.body(this.#passes ? piece : this.#translated(piece));
  }

  respond(response: LocalResponse): void {
    this.#sink.respond(response);
  }

  #translated({ bytes, from, to, complete, trailers }: ResponsePiece): ResponsePiece {
    const flat = complete && !this.#hasStatus ? allowedTrailers(trailers) : [];
    if (this.#form === 'binary' && flat.length === 0) return pieceOf(bytes, from, to, complete, '', '');
    const payload = bytes.subarray(from, to);
    const all = flat.length === 0 ? payload : Buffer.concat([payload, trailerFrame(flat)]);
    // Each piece is padded for itself: none waits for the next one, and clients decode group by group.
    const sent = this.#form === 'text' ? Buffer.from(all.toString('base64'), 'latin1') : all;
    return pieceOf(sent, 0, sent.length, complete, '', '');
  }
}

const notBase64: ParseError = { response: 'bad-request', cause: 'bad-base64' };

class DecodedBody implements BodySource {
  readonly trailers = '';
  readonly #body: BodySource;
  readonly #base64 = new Base64Pieces();

  constructor(body: BodySource) {
    this.#body = body;
  }

  get done(): boolean {
    return this.#body.done;
  }

  get receivedBytes(): number {
    return this.#body.receivedBytes;
  }

  read(take: (bytes: Buffer, from: number, to: number) => void): ParseError | undefined {
    let isBase64 = true;
    const refused = this.#body.read((bytes, from, to) => {
      const decoded = isBase64 ? this.#base64.decode(bytes.toString('latin1', from, to)) : undefined;
      if (decoded === undefined) isBase64 = false;
      else if (decoded.length > 0) take(decoded, 0, decoded.length);
    });
    if (refused !== undefined) return refused;
    return isBase64 && (!this.done || this.#base64.isWhole) ? undefined : notBase64;
  }

  pause(): void {
    this.#body.pause();
  }

  resume(): void {
    this.#body.resume();
  }
}
