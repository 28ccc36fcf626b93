import type { Socket } from 'node:net';
import { type FaultOwner, guard } from '@swarmgate/runtime';

/** A read of less costs far more than its bytes are worth; a full packet is larger. */
export const smallPieceBytes = 1_024;
/** Of a request, head included: a client that sends its own in a few writes never waits for those of others. */
export const mostSmallPiecesAtOnce = 16;
/** Reads of further ones in a span, of all connections together. */
const mostInSpan = 8;
const spanMs = 1;

interface Waiting {
  readonly socket: Socket;
  readonly goOn: () => void;
}

/**
 * Bodies that arrive in small pieces. Each piece is a read, a write and their callbacks: some hundred connections that send a byte
 * every few milliseconds fill a core. Up to a rate of all together nothing waits. Beyond it a connection is read on in its turn
 * behind the piece that has been passed on, and what its client has sent until then comes in one read.
 */
export class SmallPieces {
  readonly #clock: () => number;
  #waiting: Waiting[] = [];
  #spanEndMs = Number.NEGATIVE_INFINITY;
  #leftInSpan = 0;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Counts a piece. `false`: its connection has to wait. */
  take(): boolean {
    if (this.#waiting.length > 0) return false;
    const nowMs = this.#clock();
    if (nowMs >= this.#spanEndMs) {
      this.#spanEndMs = nowMs + spanMs;
      this.#leftInSpan = mostInSpan;
    }
    this.#leftInSpan -= 1;
    return this.#leftInSpan >= 0;
  }

  /**
   * Pauses a connection until its turn.
   * @param isReading as of `yieldTurn`
   */
  wait(socket: Socket, owner: FaultOwner, isReading: () => boolean): void {
    socket.pause();
    const goOn = guard(owner, () => {
      if (isReading()) socket.resume();
    });
    this.#waiting.push({ socket, goOn });
    if (this.#waiting.length === 1) this.#nextSpan();
  }

  #nextSpan(): void {
    // What waits is guarded, each by its owner.
    setTimeout(() => this.#readOn(), spanMs);
  }

  #readOn(): void {
    const due: Waiting[] = [];
    let passed = 0;
    for (const waiting of this.#waiting) {
      if (due.length === mostInSpan) break;
      passed += 1;
      // Those that have closed meanwhile hold up no other.
      if (!waiting.socket.destroyed) due.push(waiting);
    }
    this.#waiting = this.#waiting.slice(passed);
    for (const { goOn } of due) goOn();
    if (this.#waiting.length > 0) this.#nextSpan();
  }
}

/** Of all connections. */
export const smallPieces = new SmallPieces();
/** For `TurnShares.end`. */
export const awaitSmallPieces: SmallPieces['wait'] = (socket, owner, isReading) =>
  smallPieces.wait(socket, owner, isReading);
