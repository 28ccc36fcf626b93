import type { FaultOwner } from '@swarmgate/runtime';
import type { ParseError } from '../http/parse-error.ts';
import type { Exchange, Protocol } from '../model/exchange.ts';
import type { LocalResponse } from '../model/local-response.ts';
import type { Route } from '../model/route.ts';
import type { ClientHead } from './client-head.ts';
import type { BodySource, ClientFraming, ResponsePiece, ResponseSink } from './client-side.ts';

/** Code that runs between deciding and forwarding: an Express router. */
export interface RouteHandler {
  /** Prepares the handler's side; nothing runs before `start`. */
  handle(handled: HandledExchange): HandledParts;
}

/** Chooses the routes whose exchanges pass a handler. `undefined`: forwarded directly. */
export type HandlerOf = (route: Route) => RouteHandler | undefined;

/** What an exchange reports to its handler. */
export interface HandledParts {
  /** Runs the handler, which calls `forward` or sends a response by itself. */
  start(): void;
  /** More of the request's body may be read. */
  onClientBytes(): void;
  /** The client reads again. */
  onClientDrained(): void;
  /**
   * The exchange has ended, whatever ended it. Called before the client goes on to its next request, whose body `body` is
   * from then on. `complete`: with a whole response.
   */
  onOver(complete: boolean): void;
  /** Called with an error of the exchange. Returns the response where the handler's own code failed, which it logs itself. */
  responseTo?(error: unknown): LocalResponse | undefined;
}

/** An exchange as its handler sees it. */
export interface HandledExchange extends FaultOwner {
  /** Its headers, path and query may be changed until `forward`. */
  readonly exchange: Exchange;
  readonly protocol: Protocol;
  readonly body: BodySource;
  /** The client does not keep up. */
  readonly clogged: boolean;
  /** Sends the head of the response and the first bytes of its body. `undefined` if the head cannot be sent. */
  sendHead(head: ClientHead, framing: ClientFraming, closes: boolean, piece: ResponsePiece): boolean | undefined;
  /** Returns `true` if the bytes are still in use afterwards. */
  sendBody(piece: ResponsePiece): boolean;
  sendInterim(head: ClientHead): void;
  /** The body cannot be read. */
  refuse(error: ParseError): void;
  /** Ends the exchange with a response of the proxy's own where none has begun, else cuts the one that has. */
  respond(response: LocalResponse): void;
  /** The endpoint's response may go on: `through` has taken what it got. */
  resumeResponse(): void;
  /**
   * Forwards the request; its response is given to `through`.
   * @param consumed what the handler has read of the body: it goes to the endpoint before the rest
   */
  forward(through: ResponseSink, consumed: string): void;
}
