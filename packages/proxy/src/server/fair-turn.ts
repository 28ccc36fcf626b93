import type { Socket } from 'node:net';
import { type FaultOwner, guard } from '@swarmgate/runtime';

/** What one read of a socket gives at most: more is likely to wait behind it. */
export const fullReadBytes = 65_536;

/**
 * Ends a connection's share of this turn of the event loop. Without it up to 32 full reads (2 MiB) of one socket are taken
 * in one turn, while all other connections wait.
 * @param isReading called in the next turn: nothing else has paused the connection meanwhile, nor become its reader
 */
export function yieldTurn(socket: Socket, owner: FaultOwner, isReading: () => boolean): void {
  socket.pause();
  setImmediate(
    guard(owner, () => {
      if (isReading()) socket.resume();
    }),
  );
}

/** Work that goes on in a turn of its own, the one that has waited longest first. */
const waiting: (() => void)[] = [];

/**
 * Goes on in a turn of the event loop in which no other such work does: however many connections have more than their share
 * to do, the others wait for one share in each turn.
 */
export function takeOwnTurn(owner: FaultOwner, goOn: () => void): void {
  waiting.push(guard(owner, goOn));
  if (waiting.length === 1) nextTurn();
}

function nextTurn(): void {
  // What waits is guarded, each by its owner.
  setImmediate(() => {
    waiting[0]?.();
    waiting.shift();
    if (waiting.length > 0) nextTurn();
  });
}
