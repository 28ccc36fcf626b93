import type { Socket } from 'node:net';
import { type FaultOwner, guardOwned } from '@swarmgate/runtime';
import { endReadInPlace, type ReadListener, readInPlace } from './read-in-place.ts';

/** Where a socket keeps the connection that its events belong to. */
const owner = Symbol('owner');

interface OwnedSocket<O> extends Socket {
  [owner]?: O | undefined;
}

/** What the connections of one kind do with the events of their sockets. */
export interface SocketHandlers<O> {
  /** `chunk` holds, and `true` has an effect, as `ReadListener` says. */
  readonly data: (connection: O, chunk: Buffer) => unknown;
  readonly end: (connection: O) => void;
  readonly close: (connection: O) => void;
  /** Left out: writes report by themselves. */
  readonly drain?: (connection: O) => void;
}

/**
 * Leads the events of sockets to their connections, through listeners that are made once for all connections of a kind: a
 * client that opens one for each request pays for no closures.
 */
export class SocketEvents<O extends FaultOwner> {
  readonly #data: (this: OwnedSocket<O>, chunk: Buffer) => unknown;
  readonly #read: ReadListener;
  readonly #end: (this: OwnedSocket<O>) => void;
  readonly #close: (this: OwnedSocket<O>) => void;
  readonly #drain: ((this: OwnedSocket<O>) => void) | undefined;

  constructor({ data, end, close, drain }: SocketHandlers<O>) {
    const ownerOf = (socket: OwnedSocket<O>) => socket[owner];
    const read = guardOwned(ownerOf, data);
    this.#data = read;
    this.#read = function listener(this: OwnedSocket<O>, chunk) {
      return read.call(this, chunk) === true;
    };
    this.#end = guardOwned(ownerOf, end);
    const closed = guardOwned(ownerOf, close);
    this.#close = function listener(this: OwnedSocket<O>) {
      closed.call(this);
      endReadInPlace(this);
      // Node makes a function for each stream that V8 takes for a method, and so for old: a closed socket, and all that it
      // refers to, would survive until the next full collection.
      this[owner] = undefined;
    };
    this.#drain = drain === undefined ? undefined : guardOwned(ownerOf, drain);
  }

  /**
   * @param firstBytes were read from the socket before, and are given on first
   * @param mayReadInPlace nothing but this class reads the socket until it closes, and bytes may come behind a pause
   */
  lead(socket: Socket, connection: O, firstBytes?: Buffer, mayReadInPlace = true): void {
    (socket as OwnedSocket<O>)[owner] = connection;
    if (!mayReadInPlace || !readInPlace(socket, this.#read)) socket.on('data', this.#data);
    socket.on('end', this.#end);
    socket.on('error', ignored);
    socket.on('close', this.#close);
    if (this.#drain !== undefined) socket.on('drain', this.#drain);
    if (firstBytes !== undefined && firstBytes.length > 0) this.#data.call(socket, firstBytes);
  }

  /** The socket goes to another owner. */
  release(socket: Socket): void {
    (socket as OwnedSocket<O>)[owner] = undefined;
    socket.off('data', this.#data);
    socket.off('end', this.#end);
    socket.off('error', ignored);
    socket.off('close', this.#close);
    if (this.#drain !== undefined) socket.off('drain', this.#drain);
  }
}

function ignored(): void {
  // 'close' follows, and carries all that is acted upon.
}
