import type { DeadlineSweep, Timed } from '../transport/deadline-sweep.ts';
import type { EndpointChannel, TunnelReceiver } from '../transport/endpoint-channel.ts';
import type { ClientTunnel, ClientTunnelHandler } from './client-side.ts';

export interface TunnelOwner {
  /** Both connections are closed, or are about to be with nothing left to carry. */
  onTunnelOver(): void;
  onFault(error: unknown): void;
}

export interface TunnelStart {
  readonly client: ClientTunnel;
  readonly connection: EndpointChannel;
  readonly sweep: DeadlineSweep;
  /** Silence of both sides that ends the tunnel, in milliseconds. */
  readonly idleMs: number;
  /** Holds what the endpoint sent behind its 101, between `from` and `to`. */
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/**
 * Bytes both ways after a 101, with backpressure and half-closes: one side's end is passed on while the other side goes
 * on, a reset is passed on as a reset. A side that ended in order and is gone has sent all it had, so that still reaches
 * the other side, followed by an orderly end. Silence of both sides for the idle timeout ends the tunnel.
 */
export class Tunnel implements TunnelReceiver, ClientTunnelHandler, Timed {
  readonly #owner: TunnelOwner;
  #start: TunnelStart | undefined;
  #over = false;
  #clientEnded = false;
  #clientGone = false;
  #endpointEnded = false;
  #endpointGone = false;
  deadlineMs = Number.POSITIVE_INFINITY;
  sweepPlace = -1;
  /** To the client. */
  sentBytes = 0;
  /** From the client. */
  receivedBytes = 0;

  constructor(owner: TunnelOwner) {
    this.#owner = owner;
  }

  begin(start: TunnelStart): void {
    this.#start = start;
    const { client, connection, sweep, bytes, from, to } = start;
    connection.beginTunnel(this);
    this.#expectBytes();
    sweep.add(this);
    if (to > from) this.onTunnelBytes(bytes, from, to);
    client.start();
  }

  onClientBytes(bytes: Buffer): void {
    this.receivedBytes += bytes.length;
    if (this.#start === undefined || this.#endpointGone) return;
    this.#expectBytes();
    if (!this.#start.connection.writeTunnel(bytes)) this.#start.client.pause();
  }

  onClientEnd(): void {
    this.#clientEnded = true;
    this.#expectBytes();
    if (!this.#endpointGone) this.#start?.connection.endTunnel();
  }

  onClientDrained(): void {
    this.#expectBytes();
    this.#start?.connection.resume();
  }

  onClientGone(): void {
    this.#clientGone = true;
    if (this.#endpointGone) this.#end();
    // Whatever the client sent before its end is on its way, and may still have to wait for a slow endpoint.
    else if (this.#clientEnded) this.#start?.connection.closeTunnel();
    else {
      this.#start?.connection.reset();
      this.#end();
    }
  }

  onTunnelBytes(bytes: Buffer, from: number, to: number): boolean {
    if (this.#start === undefined || this.#clientGone) return false;
    const { client, connection } = this.#start;
    this.#expectBytes();
    this.sentBytes += to - from;
    const inUse = client.write(bytes, from, to);
    if (client.clogged) connection.pause();
    return inUse;
  }

  onWritable(): void {
    this.#expectBytes();
    this.#start?.client.resume();
  }

  onTunnelEnd(): void {
    this.#endpointEnded = true;
    this.#expectBytes();
    if (!this.#clientGone) this.#start?.client.end();
  }

  onTunnelClosed(): void {
    this.#endpointGone = true;
    if (this.#clientGone) this.#end();
    else this.#start?.client.close(!this.#endpointEnded);
  }

  onDeadline(): void {
    const start = this.#start;
    this.#end();
    start?.connection.abandon();
    start?.client.close(false);
  }

  /** Cuts both sides. */
  abort(): void {
    this.#start?.connection.reset();
    this.#start?.client.close(true);
    this.#end();
  }

  onFault(error: unknown): void {
    this.#owner.onFault(error);
    this.abort();
  }

  #expectBytes(): void {
    if (this.#start !== undefined) this.deadlineMs = this.#start.sweep.in(this.#start.idleMs);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#start?.sweep.remove(this);
    this.#owner.onTunnelOver();
  }
}
