import { EventEmitter } from 'node:events';
import { isIPv6 } from 'node:net';
import { type FaultOwner, guard } from '@swarmgate/runtime';
import { SilenceTimer } from './silence-timer.ts';

/** What middleware reads of a socket, as far as the exchange has it. */
export interface SocketFacts {
  readonly address: string;
  /** Of the entrypoint. */
  readonly port: number;
  readonly encrypted: boolean;
  /** The client has sent a certificate that was verified. */
  readonly authorized: boolean;
}

/** What a socket does to its exchange. */
export interface SocketOwner extends FaultOwner {
  /** Nothing has been sent or received for as long as `setTimeout` set. Returns `false` where no listener took it. */
  onSocketTimeout(): boolean;
  /** Middleware destroyed the socket. */
  onSocketDestroyed(error: Error | undefined): void;
}

/**
 * The client's connection as middleware sees it: addresses, whether TLS ended here, silence, and its end. It carries no
 * bytes; it ends with the exchange, since the connection goes on to other requests.
 */
export class ViewSocket extends EventEmitter {
  readonly remoteAddress: string;
  readonly remoteFamily: 'IPv4' | 'IPv6';
  readonly localPort: number;
  readonly encrypted: true | undefined;
  readonly authorized: boolean | undefined;
  readonly connecting = false;
  readonly pending = false;
  readable = true;
  writable = true;
  destroyed = false;
  closed = false;
  /** As `setTimeout` set it, in milliseconds; 0: none. */
  timeout = 0;
  readonly #owner: SocketOwner | undefined;
  #silence: SilenceTimer | undefined;

  constructor({ address, port, encrypted, authorized }: SocketFacts, owner: SocketOwner | undefined) {
    super();
    this.remoteAddress = address;
    this.remoteFamily = isIPv6(address) ? 'IPv6' : 'IPv4';
    this.localPort = port;
    this.encrypted = encrypted ? true : undefined;
    this.authorized = encrypted ? authorized : undefined;
    this.#owner = owner;
  }

  get readyState(): 'open' | 'closed' {
    return this.destroyed ? 'closed' : 'open';
  }

  address(): { readonly port: number } {
    return { port: this.localPort };
  }

  setTimeout(ms: number, callback?: () => void): this {
    this.timeout = ms;
    if (callback !== undefined) {
      if (ms === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    this.#silence?.stop();
    this.#silence = undefined;
    if (ms === 0 || this.destroyed || this.#owner === undefined) return this;
    this.#silence = new SilenceTimer(
      ms,
      guard(this.#owner, () => this.#onSilence()),
    );
    this.#silence.start();
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

  /** Ends the exchange: its response is cut, or is a 500 where none has begun. */
  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.#owner?.onSocketDestroyed(error);
    return this;
  }

  destroySoon(): void {
    this.destroy();
  }

  end(): this {
    return this.destroy();
  }

  /** Bytes have been sent or received. */
  touch(): void {
    this.#silence?.refresh();
  }

  /** The exchange is over. `error`: without a whole response. */
  close(error?: Error): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.readable = false;
    this.writable = false;
    this.#silence?.stop();
    this.closed = true;
    if (this.#owner === undefined || this.eventNames().length === 0) return;
    const emitEnd = guard(this.#owner, () => {
      if (error !== undefined && this.listenerCount('error') > 0) this.emit('error', error);
      this.emit('close', error !== undefined);
    });
    process.nextTick(emitEnd);
  }

  #onSilence(): void {
    const taken = this.emit('timeout');
    // As node:http does: what no listener takes ends the connection.
    if (this.#owner?.onSocketTimeout() !== true && !taken) this.destroy(new Error('the connection was silent'));
  }
}
