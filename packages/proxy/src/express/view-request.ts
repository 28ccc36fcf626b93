import { EventEmitter } from 'node:events';
import { type IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { HandledExchange } from '../exchange/route-handler.ts';
import { headersObjectOf } from './headers-object.ts';

/** What middleware has read of a body is kept up to this size, so that the endpoint still gets it. */
export const mostConsumedBytes = 1_048_576;

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

/** A request of node:http's shape, made of the exchange: for Express and its middleware. */
export class ViewRequest extends IncomingMessage {
  /** The headers as they were before middleware saw them. */
  readonly sentHeaders: IncomingHttpHeaders;
  readonly #handled: HandledExchange;
  #consumed: Buffer[] = [];
  #consumedBytes = 0;
  #pushed = false;
  #wanted = false;

  constructor(handled: HandledExchange) {
    const { exchange, protocol } = handled;
    const { client } = exchange;
    super(new ViewSocket(client.address, client.scheme === 'https') as unknown as Socket);
    this.#handled = handled;
    const [major = 1, minor = 1] = (protocol.split('/')[1] ?? '1.1').split('.').map(Number);
    this.httpVersionMajor = major;
    this.httpVersionMinor = protocol === 'HTTP/2' ? 0 : minor;
    this.httpVersion = `${this.httpVersionMajor}.${this.httpVersionMinor}`;
    this.method = exchange.method;
    this.url = exchange.path + exchange.query;
    this.rawHeaders = [...exchange.request.flat];
    if (exchange.upgrade !== undefined) this.rawHeaders.push('Connection', 'Upgrade', 'Upgrade', exchange.upgrade);
    this.headers = headersObjectOf(this.rawHeaders);
    this.sentHeaders = { ...this.headers };
  }

  /** What middleware has read, as latin1. @throws Error where that is more than is kept */
  takeConsumed(): string {
    if (this.#consumedBytes > mostConsumedBytes)
      throw new Error(
        `middleware read ${this.#consumedBytes} bytes of the body: more than ${mostConsumedBytes} cannot be forwarded after that`,
      );
    const consumed = Buffer.concat(this.#consumed).toString('latin1');
    this.#consumed = [];
    return consumed;
  }

  /** More of the body has arrived. */
  onClientBytes(): void {
    if (this.#wanted) this.#readOn();
    else this.#handled.body.pause();
  }

  /** The exchange has ended. */
  onOver(): void {
    if (!this.#pushed) this.push(null);
    this.#pushed = true;
    this.complete = this.#handled.body.done;
    if (!this.destroyed) this.destroy();
  }

  override _read(): void {
    this.#wanted = true;
    this.#readOn();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error);
  }

  #readOn(): void {
    const { body } = this.#handled;
    if (this.#pushed) return;
    if (!body.done) {
      const refused = body.read((bytes, from, to) => {
        const piece = Buffer.from(bytes.subarray(from, to));
        this.#consumedBytes += piece.length;
        if (this.#consumedBytes <= mostConsumedBytes) this.#consumed.push(piece);
        this.#wanted = this.push(piece);
      });
      if (refused !== undefined) {
        this.#handled.refuse(refused);
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
