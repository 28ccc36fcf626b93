import type { Socket } from 'node:net';
import type { ClientTunnel, ClientTunnelHandler } from '../../exchange/client-side.ts';
import { reset } from '../../transport/reset.ts';

/** The client's socket as one side of a tunnel. Its connection passes the socket's events on. */
export class SocketTunnel implements ClientTunnel {
  readonly #socket: Socket;
  readonly #handler: ClientTunnelHandler;
  readonly #early: Buffer;

  /** @param early what the client sent behind its request */
  constructor(socket: Socket, handler: ClientTunnelHandler, early: Buffer) {
    this.#socket = socket;
    this.#handler = handler;
    this.#early = early;
  }

  start(): void {
    if (this.#early.length > 0) this.#handler.onClientBytes(this.#early);
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

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(abrupt: boolean): void {
    if (abrupt) reset(this.#socket);
    else this.#socket.destroySoon();
  }

  onData(bytes: Buffer): void {
    this.#handler.onClientBytes(bytes);
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
