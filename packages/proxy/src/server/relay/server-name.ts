import type { Socket } from 'node:net';
import { type FaultOwner, guardEach } from '@swarmgate/runtime';
import { SocketEvents } from '../socket-events.ts';
import { type ClientHello, ClientHelloReader, mostHelloBytes } from './client-hello.ts';

/** Why a connection shows no ClientHello: it did not arrive in time, ended before it was whole, or is larger than the bounds. */
export type HelloError = 'hello-late' | 'hello-cut' | 'hello-too-large';

type Result =
  | { readonly kind: 'read'; readonly hello: Extract<ClientHello, { kind: 'hello' | 'not-tls' }> }
  | { readonly kind: 'none'; readonly cause: HelloError };

/** `bytes`: all that were read. */
export type HelloResult = Result & { readonly bytes: Buffer };

/** Gets one of the two, once. */
export interface HelloTaker extends FaultOwner {
  /** It gets all bytes that were read also where they are no ClientHello. Else it has no use for them. */
  readonly keepsAll: boolean;
  /** The connection is not read until its next reader reads it. */
  onHello(result: HelloResult): void;
}

/**
 * Reads a ClientHello. The result holds all bytes read, for the next reader of the connection, which is not flowing then. Rejects
 * with a fault.
 * @param keepsAll as of `HelloTaker`
 */
export function readHello(client: Socket, timeoutMs: number, keepsAll: boolean): Promise<HelloResult> {
  return new Promise((resolve, reject) =>
    takeHello(client, timeoutMs, { keepsAll, onHello: resolve, onFault: reject }),
  );
}

/** As `readHello`, for connections of which there are thousands a second. */
export function takeHello(client: Socket, timeoutMs: number, taker: HelloTaker): void {
  new HelloReading(client, timeoutMs, taker).start();
}

class HelloReading implements FaultOwner {
  static readonly #events = new SocketEvents<HelloReading>({
    data: (reading, piece) => reading.#take(piece),
    end: (reading) => reading.#settle({ kind: 'none', cause: 'hello-cut' }),
    close: (reading) => reading.#settle({ kind: 'none', cause: 'hello-cut' }),
  });
  static readonly #late = guardEach<HelloReading>(
    (reading) => reading,
    (reading) => reading.#settle({ kind: 'none', cause: 'hello-late' }),
  );
  readonly #client: Socket;
  readonly #taker: HelloTaker;
  readonly #reader = new ClientHelloReader();
  readonly #timer: NodeJS.Timeout;
  #bytes = none;
  #pieces: Buffer[] | undefined;
  #length = 0;

  constructor(client: Socket, timeoutMs: number, taker: HelloTaker) {
    this.#client = client;
    this.#taker = taker;
    this.#timer = setTimeout(HelloReading.#late, timeoutMs, this);
  }

  start(): void {
    HelloReading.#events.lead(this.#client, this);
    if (this.#client.readableFlowing === false) this.#client.resume();
  }

  onFault(error: unknown): void {
    this.#leave();
    this.#taker.onFault(error);
  }

  #take(piece: Buffer): void {
    const hello = this.#reader.read(piece);
    this.#length += piece.length;
    const isHello = hello.kind === 'hello' || hello.kind === 'incomplete';
    if (isHello || this.#taker.keepsAll) this.#keep(piece);
    if (hello.kind === 'too-large' || (hello.kind === 'incomplete' && this.#length >= mostHelloBytes))
      this.#settle({ kind: 'none', cause: 'hello-too-large' });
    else if (hello.kind !== 'incomplete') this.#settle({ kind: 'read', hello });
  }

  /** What was read holds only during the call. */
  #keep(piece: Buffer): void {
    const copy = Buffer.from(piece);
    if (this.#bytes === none) this.#bytes = copy;
    else {
      this.#pieces ??= [this.#bytes];
      this.#pieces.push(copy);
    }
  }

  #settle(result: Result): void {
    this.#leave();
    this.#client.pause();
    const bytes = this.#pieces === undefined ? this.#bytes : Buffer.concat(this.#pieces);
    this.#taker.onHello({ ...result, bytes });
  }

  #leave(): void {
    clearTimeout(this.#timer);
    HelloReading.#events.release(this.#client);
  }
}

const none = Buffer.alloc(0);
