import type { Socket } from 'node:net';
import { type FaultOwner, guard } from '@swarmgate/runtime';
import { reset } from './reset.ts';

/** What one connection may read before others have their turn: as much as one read of a socket gives at most. */
export const shareBytes = 65_536;
/** Connections that are read on in one turn, of those that have had their share. */
const mostReadInTurn = 2;

/** Each goes on in a turn of the event loop of its own, the one that has waited longest first. */
const working: (() => void)[] = [];
/** Of these a few are read on in each turn, in the same order. */
const reading: (() => void)[] = [];
/** One of these is read on at a time, with a pause before each. */
const dropping: { readonly socket: Socket; readonly goOn: () => void }[] = [];
/** Beyond it the one that has waited longest is reset: its client has had half a second to read what it got. */
const mostDropping = 512;
/** Between two shares of what is dropped, of all connections together: 64 MB a second. */
const dropEveryMs = 1;

/**
 * Ends a connection's share of this turn of the event loop. Without it up to 32 full reads (2 MiB) of one socket are taken
 * in one turn, while all other connections wait. However many connections have had their share, the others wait for the reads of a
 * few in each turn.
 * @param isReading called when it is read on: nothing else has paused the connection meanwhile, nor become its reader
 */
export function yieldTurn(socket: Socket, owner: FaultOwner, isReading: () => boolean): void {
  socket.pause();
  enter(reading, readOn(socket, owner, isReading));
}

/**
 * The shares of one connection whose reader pauses it when what it passes on is not taken at once. Node reports most of that by the end of
 * the callback that brought the bytes: such a reader pauses and resumes for each read, and its share ends all the same. Without it up
 * to 32 full reads of one socket are taken in one turn.
 */
export class TurnShares {
  readonly #socket: Socket;
  readonly #owner: FaultOwner;
  readonly #isReading: () => boolean;
  /** A share ended while the connection was paused. */
  #owesTurn = false;
  #isYielding = false;

  /** @param isReading nothing else has paused the connection, nor become its reader */
  constructor(socket: Socket, owner: FaultOwner, isReading: () => boolean) {
    this.#socket = socket;
    this.#owner = owner;
    this.#isReading = isReading;
  }

  /**
   * Ends a share: the connection is read on in a later turn, once its reader has resumed it.
   * @param wait in which line, if its reader has not paused it
   */
  end(wait = yieldTurn): void {
    this.#owesTurn = !this.#isReading();
    if (this.#owesTurn || this.#isYielding) return;
    this.#isYielding = true;
    wait(this.#socket, this.#owner, () => {
      this.#isYielding = false;
      return this.#isReading();
    });
  }

  /** What paused the connection is over. */
  resume(): void {
    if (this.#owesTurn) this.end();
    else if (!this.#isYielding) this.#socket.resume();
  }
}

/**
 * Ends the share of a connection whose bytes are dropped: it is read only so that a reset does not destroy what
 * its client has yet to read. However many there are, and however fast they send, one share a millisecond is read of them all, and no more
 * than `mostDropping` wait for theirs: thousands of clients that leave their connections full would be held for minutes.
 * @param isReading as of `yieldTurn`
 */
export function dropInTurn(socket: Socket, owner: FaultOwner, isReading: () => boolean): void {
  socket.pause();
  dropping.push({ socket, goOn: readOn(socket, owner, isReading) });
  if (dropping.length > mostDropping) {
    const longest = dropping.shift();
    if (longest?.socket.destroyed === false) reset(longest.socket);
  }
  if (dropping.length === 1) nextDropped();
}

function readOn(socket: Socket, owner: FaultOwner, isReading: () => boolean): () => void {
  return guard(owner, () => {
    if (isReading()) socket.resume();
  });
}

function nextDropped(): void {
  // What waits is guarded, each by its owner.
  setTimeout(() => {
    // Those that have closed meanwhile hold up no other.
    while (dropping[0]?.socket.destroyed === true) dropping.shift();
    dropping.shift()?.goOn();
    if (dropping.length > 0) nextDropped();
  }, dropEveryMs);
}

/**
 * Goes on in a turn of the event loop in which no other such work does: however many connections have more than their share
 * to do, the others wait for one share in each turn.
 */
export function takeOwnTurn(owner: FaultOwner, goOn: () => void): void {
  enter(working, guard(owner, goOn));
}

function enter(queue: (() => void)[], goOn: () => void): void {
  queue.push(goOn);
  if (working.length + reading.length === 1) nextTurn();
}

function nextTurn(): void {
  // What waits is guarded, each by its owner.
  setImmediate(() => {
    const [works, reads] = [working.slice(0, 1), reading.slice(0, mostReadInTurn)];
    const due = [...works, ...reads];
    for (const goOn of due) goOn();
    // Only those: others may have begun to wait meanwhile.
    working.splice(0, works.length);
    reading.splice(0, reads.length);
    if (working.length + reading.length > 0) nextTurn();
  });
}
