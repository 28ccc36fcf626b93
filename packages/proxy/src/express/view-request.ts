import { EventEmitter } from 'node:events';
import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { HandledExchange } from '../exchange/route-handler.ts';
import { applyHeaderChanges, headersObjectOf } from './headers-object.ts';

/** What middleware has read of a body is kept up to this size, so that the endpoint still gets it. */
export const mostConsumedBytes = 1_048_576;

/** Of an endpoint's response on its way through middleware. */
export interface ForwardHooks {
  /** Called when the endpoint's response is complete: from here on only middleware keeps the client waiting. */
  onComplete: (() => void) | undefined;
  /** Runs what calls methods of the response that middleware may have replaced. */
  runs: <T>(act: () => T) => T;
}

/** What middleware reads of a socket: addresses and whether TLS ended here. It carries no bytes. */
class ViewSocket extends EventEmitter {
  readonly remoteAddress: string;
  readonly encrypted: boolean;
  readonly readable = true;
  readonly writable = true;
  destroyed = false;

  constructor(remoteAddress: string, encrypted: boolean) {
    super();
    this.remoteAddress = remoteAddress;
    this.encrypted = encrypted;
  }

  setTimeout(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

/** node:http reads a socket's limits while it makes a request; the real stand-in is made when middleware asks for it. */
const noSocket = new ViewSocket('', false) as unknown as Socket;

/** A request of node:http's shape, made of the exchange: for Express and its middleware. */
export class ViewRequest extends IncomingMessage {
  static {
    // Accessors, because most requests pass no middleware that reads them.
    Object.defineProperties(ViewRequest.prototype, {
      headers: {
        configurable: true,
        get(this: ViewRequest): IncomingHttpHeaders {
          return this.#headersNow();
        },
        set(this: ViewRequest, headers: IncomingHttpHeaders) {
          this.#headersNow();
          this.#headers = headers;
        },
      },
      rawHeaders: {
        configurable: true,
        get(this: ViewRequest): string[] {
          this.#rawHeaders ??= this.#fields();
          return this.#rawHeaders;
        },
        set() {
          // node:http sets an empty list while it makes a request.
        },
      },
      socket: {
        configurable: true,
        get(this: ViewRequest): Socket {
          this.#socket ??= this.#makeSocket();
          return this.#socket;
        },
        set() {
          // As above.
        },
      },
    });
  }

  readonly handled: HandledExchange;
  /** The plug-in that has the request. */
  runningPlugin: string | undefined;
  /** The plug-in whose error ends the exchange. */
  failedPlugin: string | undefined;
  /** The time of the plug-in that has the request ends. */
  onPluginEnd: (() => void) | undefined;
  /** Called before the request is forwarded. */
  onForward: ((through: ForwardHooks) => void) | undefined;
  #headers: IncomingHttpHeaders | undefined;
  /** The headers as they were before middleware could change them. */
  #sentHeaders: IncomingHttpHeaders | undefined;
  #rawHeaders: string[] | undefined;
  #socket: Socket | undefined;
  #consumed: Buffer[] = [];
  #consumedBytes = 0;
  #pushed = false;
  #handedOver = false;
  #wanted = false;

  constructor(handled: HandledExchange) {
    super(noSocket);
    const { exchange, protocol } = handled;
    this.handled = handled;
    this.httpVersion = protocol === 'HTTP/2' ? '2.0' : protocol.slice(5);
    this.httpVersionMajor = protocol === 'HTTP/2' ? 2 : 1;
    this.httpVersionMinor = protocol === 'HTTP/1.1' ? 1 : 0;
    this.method = exchange.method;
    this.url = exchange.path + exchange.query;
  }

  /** Carries header changes of middleware over to the headers that are forwarded. */
  applyChanges(): void {
    if (this.#headers !== undefined && this.#sentHeaders !== undefined)
      applyHeaderChanges(this.handled.exchange.request, this.#sentHeaders, this.#headers);
  }

  /** What middleware has read, as latin1. @throws Error where that is more than is kept */
  takeConsumed(): string {
    if (this.#consumedBytes > mostConsumedBytes)
      throw new Error(
        `middleware read ${this.#consumedBytes} bytes of the body: more than ${mostConsumedBytes} cannot be forwarded after that`,
      );
    const consumed = Buffer.concat(this.#consumed).toString('latin1');
    this.#consumed = [];
    // The rest is the endpoint's: bytes that a stream still takes here would be missing there.
    this.#handedOver = true;
    return consumed;
  }

  /** More of the body has arrived. */
  onClientBytes(): void {
    if (this.#wanted) this.#readOn();
    else this.handled.body.pause();
  }

  /** The exchange has ended. */
  onOver(): void {
    // A stream that ends has given all of the body: one that has not is only closed.
    if (!this.#pushed && !this.#handedOver) this.push(null);
    this.#pushed = true;
    this.complete = this.handled.body.done;
    if (!this.destroyed) this.destroy();
  }

  override _read(): void {
    this.#wanted = true;
    this.#readOn();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error);
  }

  #fields(): string[] {
    const { request, upgrade } = this.handled.exchange;
    const fields = [...request.flat];
    if (upgrade !== undefined) fields.push('Connection', 'Upgrade', 'Upgrade', upgrade);
    return fields;
  }

  #headersNow(): IncomingHttpHeaders {
    if (this.#headers === undefined) {
      this.#headers = headersObjectOf(this.#fields());
      this.#sentHeaders = { ...this.#headers };
    }
    return this.#headers;
  }

  #makeSocket(): Socket {
    const { client } = this.handled.exchange;
    return new ViewSocket(client.address, client.scheme === 'https') as unknown as Socket;
  }

  #readOn(): void {
    const { body } = this.handled;
    if (this.#pushed || this.#handedOver) return;
    if (!body.done) {
      const refused = body.read((bytes, from, to) => {
        const piece = Buffer.from(bytes.subarray(from, to));
        this.#consumedBytes += piece.length;
        if (this.#consumedBytes <= mostConsumedBytes) this.#consumed.push(piece);
        this.#wanted = this.push(piece);
      });
      if (refused !== undefined) {
        this.handled.refuse(refused);
        return;
      }
    }
    if (body.done) {
      this.#pushed = true;
      this.complete = true;
      this.push(null);
    } else if (this.#wanted) body.resume();
    else body.pause();
  }
}
