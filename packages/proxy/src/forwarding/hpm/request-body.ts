import type { ClientRequest, IncomingMessage } from 'node:http';
import { Stream } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { pairs } from './upstream-headers.ts';

/**
 * The request body as http-proxy-middleware's `buffer`: it calls `pipe` at once, but nothing is read from the client
 * before the endpoint is connected. So a request of any method can go to another endpoint when the first one refuses.
 */
export class RequestBody extends Stream {
  readonly #request: IncomingMessage;
  readonly #onStart: () => void;
  readonly #onBytes: () => void;
  #unpipe: (() => void) | undefined;

  constructor(request: IncomingMessage, onStart: () => void, onBytes: () => void) {
    super();
    this.#request = request;
    this.#onStart = onStart;
    this.#onBytes = onBytes;
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    const upstream = destination as unknown as ClientRequest;
    const socket = upstream.socket;
    if (socket === null || (!socket.connecting && !(socket instanceof TLSSocket && !upstream.reusedSocket))) {
      this.#start(upstream);
    } else {
      socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => this.#start(upstream));
    }
    return destination;
  }

  /** Stops feeding the endpoint; what is left of the body is read and thrown away. */
  detach(): void {
    this.#unpipe?.();
  }

  #start(upstream: ClientRequest): void {
    if (upstream.destroyed) return;
    this.#onStart();
    const request = this.#request;
    if (!hasBody(request)) {
      request.resume();
      upstream.end();
      return;
    }
    // The client waits for the endpoint's 100 before it sends the body that would push the head out.
    if (upstream.hasHeader('expect')) upstream.flushHeaders();
    request.on('data', this.#onBytes);
    const passTrailers = () => {
      if (request.rawTrailers.length > 0) upstream.addTrailers(pairs(request.rawTrailers));
    };
    request.once('end', passTrailers);
    request.pipe(upstream);
    this.#unpipe = () => {
      this.#unpipe = undefined;
      request.off('data', this.#onBytes);
      request.off('end', passTrailers);
      request.unpipe(upstream);
      request.resume();
    };
  }
}

export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) > 0);
}
