import type { ClientRequest, IncomingMessage } from 'node:http';
import { Stream } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { bodyKindOf } from '../body-kind.ts';
import { pairs } from './upstream-headers.ts';

/** What the body's progress means is the attempt's to say. */
export interface BodyEvents {
  /** The endpoint is connected; from now on bytes of the request may reach it. */
  readonly onConnected: () => void;
  readonly onBytes: (count: number) => void;
  /** The endpoint does not take more for now, so that the client is not read. */
  readonly onBlocked: () => void;
  readonly onUnblocked: () => void;
  readonly onEnd: () => void;
}

/**
 * The request body as http-proxy-middleware's `buffer`: it calls `pipe` at once, but nothing is read from the client
 * before the endpoint is connected. So a request of any method can go to another endpoint when the first one refuses.
 */
export class RequestBody extends Stream {
  readonly #request: IncomingMessage;
  readonly #events: BodyEvents;
  #detach: (() => void) | undefined;

  constructor(request: IncomingMessage, events: BodyEvents) {
    super();
    this.#request = request;
    this.#events = events;
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    const upstream = destination as unknown as ClientRequest;
    const { socket } = upstream;
    const secure = socket instanceof TLSSocket;
    if (socket === null || upstream.reusedSocket || (!socket.connecting && !secure)) this.#start(upstream);
    else socket.once(secure ? 'secureConnect' : 'connect', () => this.#start(upstream));
    return destination;
  }

  /** Stops feeding the endpoint; what is left of the body is read and thrown away. */
  detach(): void {
    this.#detach?.();
  }

  #start(upstream: ClientRequest): void {
    if (upstream.destroyed) return;
    this.#events.onConnected();
    const request = this.#request;
    if (bodyKindOf(request.rawHeaders) === 'none') {
      request.resume();
      upstream.end();
      this.#events.onEnd();
      return;
    }
    // The head goes before the body begins: the client may wait for a 100, the endpoint may refuse by the head alone.
    upstream.flushHeaders();
    const onData = (chunk: Buffer) => {
      this.#events.onBytes(chunk.length);
      if (upstream.write(chunk)) return;
      request.pause();
      this.#events.onBlocked();
    };
    const onDrain = () => {
      this.#events.onUnblocked();
      request.resume();
    };
    const onEnd = () => {
      if (request.rawTrailers.length > 0) upstream.addTrailers(pairs(request.rawTrailers));
      upstream.end();
      this.#events.onEnd();
    };
    request.on('data', onData);
    request.once('end', onEnd);
    upstream.on('drain', onDrain);
    this.#detach = () => {
      this.#detach = undefined;
      request.off('data', onData);
      request.off('end', onEnd);
      upstream.off('drain', onDrain);
      request.resume();
    };
  }
}
