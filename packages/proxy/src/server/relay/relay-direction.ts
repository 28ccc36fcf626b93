import type { Socket } from 'node:net';
import { type FaultOwner, guard } from '@swarmgate/runtime';
import { shareBytes, TurnShares } from '../../transport/fair-turn.ts';
import { LentWriter } from '../../transport/lent-writer.ts';
import { endReadInPlace, readInPlace } from '../read-in-place.ts';

/**
 * Passes on what one side of a relay sends, and its end, as fast as the other side takes it. It is read into the buffer of all
 * sockets and copied into buffers that are used again: a `pipe` makes one for each read, and V8 collects the whole heap for their sake.
 */
export class RelayDirection {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #owner: FaultOwner;
  readonly #onBytes: () => void;
  readonly #writer: LentWriter;
  #sinceShareBytes = 0;
  readonly #shares: TurnShares;

  /** @param onBytes called before they are passed on */
  constructor(from: Socket, to: Socket, owner: FaultOwner, onBytes: () => void) {
    this.#from = from;
    this.#to = to;
    this.#owner = owner;
    this.#onBytes = onBytes;
    this.#writer = new LentWriter(to);
    this.#shares = new TurnShares(from, owner, () => !to.writableNeedDrain);
  }

  /** @param firstBytes were read before, and may be kept */
  start(firstBytes: Buffer): void {
    const [from, to] = [this.#from, this.#to];
    to.on(
      'drain',
      guard(this.#owner, () => this.#shares.resume()),
    );
    from.once(
      'end',
      guard(this.#owner, () => to.end()),
    );
    if (firstBytes.length > 0) this.#pass(firstBytes);
    // A server that speaks first may have done so with the end of its handshake.
    const early: Buffer | null = from.read();
    if (early !== null) this.#pass(early);
    const take = guard(this.#owner, (bytes: Buffer) => this.#take(bytes));
    const isInPlace = readInPlace(from, (bytes) => {
      take(bytes);
      return false;
    });
    if (!isInPlace) from.on('data', take);
    else from.once('close', () => endReadInPlace(from));
    if (!to.writableNeedDrain) from.resume();
  }

  #pass(bytes: Buffer): void {
    this.#onBytes();
    this.#to.write(bytes);
  }

  #take(bytes: Buffer): void {
    this.#onBytes();
    const goesOn = this.#writer.write('', bytes, 0, bytes.length, '');
    this.#sinceShareBytes += bytes.length;
    if (this.#sinceShareBytes >= shareBytes) {
      this.#sinceShareBytes = 0;
      this.#shares.end();
    }
    if (!goesOn) this.#from.pause();
  }
}
