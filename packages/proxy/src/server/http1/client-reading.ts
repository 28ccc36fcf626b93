import type { Socket } from 'node:net';
import type { FaultOwner } from '@swarmgate/runtime';
import { dropInTurn, shareBytes, takeOwnTurn, yieldTurn } from '../../transport/fair-turn.ts';

/** Whether a client's socket is read. While it is not, what the client sends waits in the system, and then at the client. */
export class ClientReading {
  /** The connection has more to do at once than its share of a turn, and waits for a turn of its own. */
  isWaiting = false;
  isPaused = false;
  readonly #socket: Socket;
  readonly #owner: FaultOwner;
  readonly #isRead: () => boolean;
  #sinceShareBytes = 0;

  /** @param isRead called when a share has been read, in a later turn: the connection still reads its socket itself */
  constructor(socket: Socket, owner: FaultOwner, isRead: () => boolean) {
    this.#socket = socket;
    this.#owner = owner;
    this.#isRead = isRead;
  }

  pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#socket.resume();
  }

  /** Counts what has been read and acted upon: behind a share of it the connection is read on in a later turn. */
  count(bytes: number): void {
    if (this.#isShareRead(bytes)) yieldTurn(this.#socket, this.#owner, () => !this.isPaused && this.#isRead());
  }

  /** As `count`, for what has been read and dropped. */
  countDropped(bytes: number): void {
    if (this.#isShareRead(bytes)) dropInTurn(this.#socket, this.#owner, () => !this.isPaused && this.#isRead());
  }

  #isShareRead(bytes: number): boolean {
    this.#sinceShareBytes += bytes;
    if (this.#sinceShareBytes < shareBytes) return false;
    this.#sinceShareBytes = 0;
    return !this.isPaused;
  }

  /** Reads nothing until `goOn` has been called, in a turn of the connection's own. */
  waitForTurn(goOn: () => void): void {
    this.pause();
    this.isWaiting = true;
    takeOwnTurn(this.#owner, () => {
      this.isWaiting = false;
      goOn();
    });
  }
}
