import type { Socket } from 'node:net';
import type { FaultOwner } from '@swarmgate/runtime';
import { dropInTurn, shareBytes, TurnShares, takeOwnTurn, yieldTurn } from '../../transport/fair-turn.ts';
import { awaitSmallPieces, mostSmallPiecesAtOnce, smallPieceBytes, smallPieces } from '../../transport/small-pieces.ts';
import { emptyBody, type RequestBody } from './request-body.ts';

/**
 * The first share of a request with a body, and its head. An upload of 100 KB costs no pause: that would be a turn of the event loop,
 * in which an endpoint that responds before it has the whole body makes both connections end. A longer one goes on in usual shares.
 */
const firstShareBytes = 131_072;

/** The connection that reads the socket: one object, because functions of its own are 200 bytes of an idle connection. */
export interface ReadingOwner extends FaultOwner {
  /** `false`: another part reads the socket by now. */
  readonly readsSocket: boolean;
  /** In a turn of the connection's own, after `waitForTurn`. */
  onOwnTurn(): void;
}

/** Whether a client's socket is read. While it is not, what the client sends waits in the system, and then at the client. */
export class ClientReading {
  /** The connection has more to do at once than its share of a turn, and waits for a turn of its own. */
  isWaiting = false;
  /** What comes is held. Of a share or more nothing is read: until then the end of a client that leaves is found. */
  isPaused = false;
  readonly #socket: Socket;
  readonly #owner: ReadingOwner;
  #sinceShareBytes = 0;
  #isFirstShare = true;
  #heldBytes = 0;
  /** Of the request in progress. */
  #smallPieces = 0;
  /** Made at the end of the first. */
  #shares: TurnShares | undefined;

  constructor(socket: Socket, owner: ReadingOwner) {
    this.#socket = socket;
    this.#owner = owner;
  }

  pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.#heldBytes = 0;
  }

  /** Counts what came while it is paused. */
  hold(bytes: number): void {
    this.#heldBytes += bytes;
    if (this.#heldBytes >= shareBytes) this.#socket.pause();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (this.#shares === undefined) this.#socket.resume();
    else this.#shares.resume();
  }

  /** The next request follows, in a later turn of the event loop than the one before: a whole share may be read. */
  beginShare(): void {
    this.#sinceShareBytes = 0;
    this.#isFirstShare = true;
    this.#smallPieces = 0;
  }

  /**
   * Counts what has been read and acted upon: behind a share of it the connection is read on in a later turn.
   * @param body of the exchange in progress
   */
  count(bytes: number, body: RequestBody): void {
    if (this.#isShareRead(bytes, this.#isFirstShare && body !== emptyBody ? firstShareBytes : shareBytes))
      this.#endShare();
    else if (bytes < smallPieceBytes && !body.done) this.#countSmallPiece();
  }

  #countSmallPiece(): void {
    this.#smallPieces += 1;
    if (this.#smallPieces > mostSmallPiecesAtOnce && !smallPieces.take()) this.#endShare(awaitSmallPieces);
  }

  /** As `count`, for what has been read and dropped. */
  countDropped(bytes: number): void {
    if (this.#isShareRead(bytes, shareBytes) && !this.isPaused)
      dropInTurn(this.#socket, this.#owner, () => !this.isPaused && this.#owner.readsSocket);
  }

  #isShareRead(bytes: number, share: number): boolean {
    this.#sinceShareBytes += bytes;
    if (this.#sinceShareBytes < share) return false;
    this.#sinceShareBytes = 0;
    this.#isFirstShare = false;
    return true;
  }

  #endShare(wait = yieldTurn): void {
    this.#shares ??= new TurnShares(this.#socket, this.#owner, () => !this.isPaused && this.#owner.readsSocket);
    this.#shares.end(wait);
  }

  /** Reads nothing until the connection's own turn. */
  waitForTurn(): void {
    this.pause();
    this.#socket.pause();
    this.isWaiting = true;
    takeOwnTurn(this.#owner, () => {
      this.isWaiting = false;
      this.#owner.onOwnTurn();
    });
  }
}
