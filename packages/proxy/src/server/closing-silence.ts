import type { Socket } from 'node:net';
import type { DeadlineSweep } from '../transport/deadline-sweep.ts';

/** The system's own queue of a socket, where a large piece leaves bit by bit; node:net shows only whole pieces. */
interface WithQueue {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}

/** How long a client may take to close to which every byte has left while draining, or that broke the protocol. */
const shortLingerMs = 2_000;

/**
 * Ends a connection that has only to be closed by its client: by silence, so that a client that reads slowly gets all of
 * its response. What the client still sends is no sign of life, because it is dropped.
 */
export class ClosingSilence {
  readonly #socket: Socket;
  #unsent = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @returns the deadline, in the sweep's milliseconds: `short` where every byte has left. */
  watch(sweep: DeadlineSweep, clientMs: number, short: boolean): number {
    this.#unsent = this.#toBeSent();
    return sweep.in(short && this.#unsent === 0 ? Math.min(shortLingerMs, clientMs) : clientMs);
  }

  /** The client has taken nothing since `watch`. */
  get isSilent(): boolean {
    return this.#toBeSent() === this.#unsent;
  }

  #toBeSent(): number {
    const queued = (this.#socket as unknown as WithQueue)._handle?.writeQueueSize ?? 0;
    return this.#socket.writableLength + queued;
  }
}
