import type { Socket } from 'node:net';
import type { FaultOwner } from '@swarmgate/runtime';
import type { ClientTunnel, ClientTunnelHandler } from '../../exchange/client-side.ts';
import { dropInTurn, shareBytes, TurnShares } from '../../transport/fair-turn.ts';
import { reset } from '../../transport/reset.ts';

/** The client's socket as one side of a tunnel. Its connection passes the socket's events on. */
export class SocketTunnel implements ClientTunnel {
  readonly #socket: Socket;
  readonly #owner: FaultOwner;
  readonly #handler: ClientTunnelHandler;
  #early: Buffer;
  readonly #onSent: () => void;
  #closing = false;
  #paused = false;
  #sinceShareBytes = 0;
  #heldBytes = 0;
  readonly #shares: TurnShares;

  /**
   * @param owner of faults in callbacks
   * @param early what the client sent behind its request
   * @param onSent called when all bytes are out and the client has only to close
   */
  constructor(socket: Socket, owner: FaultOwner, handler: ClientTunnelHandler, early: Buffer, onSent: () => void) {
    this.#socket = socket;
    this.#owner = owner;
    this.#handler = handler;
    this.#early = early;
    this.#onSent = onSent;
    this.#shares = new TurnShares(socket, owner, () => !this.#paused);
  }

  start(): void {
    const early = this.#early;
    this.#early = none;
    if (early.length > 0) this.#handler.onClientBytes(early);
    this.#socket.resume();
  }

  get clogged(): boolean {
    return this.#socket.writableNeedDrain;
  }

  write(bytes: Buffer, from: number, to: number): boolean {
    this.#socket.write(bytes.subarray(from, to));
    return this.#socket.writableLength > 0;
  }

  end(): void {
    this.#socket.end();
  }

  /** Of a share or more nothing is read: until then the reset of a client is found. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#heldBytes = 0;
  }

  resume(): void {
    this.#paused = false;
    this.#shares.resume();
  }

  close(abrupt: boolean): void {
    if (abrupt) {
      reset(this.#socket);
      return;
    }
    // What the client still sends is read and dropped: a reset could destroy bytes that it has not read yet.
    this.#closing = true;
    this.#paused = false;
    this.#socket.end(this.#onSent);
    this.#socket.resume();
  }

  onData(bytes: Buffer): void {
    if (!this.#closing) this.#handler.onClientBytes(bytes);
    if (this.#paused) {
      this.#heldBytes += bytes.length;
      if (this.#heldBytes >= shareBytes) this.#socket.pause();
    }
    this.#sinceShareBytes += bytes.length;
    if (this.#sinceShareBytes < shareBytes) return;
    this.#sinceShareBytes = 0;
    if (this.#closing) dropInTurn(this.#socket, this.#owner, () => !this.#paused);
    else this.#shares.end();
  }

  onEnd(): void {
    this.#handler.onClientEnd();
  }

  onDrain(): void {
    this.#handler.onClientDrained();
  }

  onClose(): void {
    this.#handler.onClientGone();
  }
}

const none = Buffer.alloc(0);
