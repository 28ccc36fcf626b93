import type { ParseError } from '../http/parse-error.ts';
import type { Exchange, Protocol } from '../model/exchange.ts';
import type { LocalResponse } from '../model/local-response.ts';
import type { ClientHead } from './client-head.ts';
import type { BodySource, ClientFraming, ClientSide, ResponsePiece, ResponseSink } from './client-side.ts';
import type { HandledExchange } from './route-handler.ts';

/** What an exchange lends to the part of it that a handler sees. */
export interface ExchangeControl {
  readonly client: ClientSide;
  readonly body: BodySource;
  readonly protocol: Protocol;
  /** A response head of this status has been sent to the client. */
  responded(status: number): void;
  /** The client has the whole response. */
  complete(): void;
  resumeResponse(): void;
  forward(through: ResponseSink, consumed: string): void;
  refuse(error: ParseError): void;
  respond(response: LocalResponse): void;
  onFault(error: unknown): void;
}

/** An exchange while a handler has it: responses go to the client from here, whatever made them. */
export class HandledHttpExchange implements HandledExchange {
  readonly exchange: Exchange;
  readonly #control: ExchangeControl;

  constructor(exchange: Exchange, control: ExchangeControl) {
    this.exchange = exchange;
    this.#control = control;
  }

  get protocol(): Protocol {
    return this.#control.protocol;
  }

  get body(): BodySource {
    return this.#control.body;
  }

  get clogged(): boolean {
    return this.#control.client.sink.clogged;
  }

  sendHead(head: ClientHead, framing: ClientFraming, closes: boolean, piece: ResponsePiece): boolean | undefined {
    const { complete } = piece;
    const inUse = this.#control.client.sink.head(head, framing, closes, piece);
    if (inUse === undefined) return undefined;
    this.#control.responded(head.status);
    if (complete) this.#control.complete();
    return inUse;
  }

  sendBody(piece: ResponsePiece): boolean {
    const { complete } = piece;
    const inUse = this.#control.client.sink.body(piece);
    if (complete) this.#control.complete();
    return inUse;
  }

  sendInterim(head: ClientHead): void {
    this.#control.client.sink.interim(head);
  }

  refuse(error: ParseError): void {
    this.#control.refuse(error);
  }

  respond(response: LocalResponse): void {
    this.#control.respond(response);
  }

  resumeResponse(): void {
    this.#control.resumeResponse();
  }

  forward(through: ResponseSink, consumed: string): void {
    this.#control.forward(through, consumed);
  }

  onFault(error: unknown): void {
    this.#control.onFault(error);
  }
}
