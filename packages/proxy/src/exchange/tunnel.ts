import type { EndpointConnection, TunnelReceiver } from '../transport/endpoint-connection.ts';
import type { ClientTunnel, ClientTunnelHandler } from './client-side.ts';

export interface TunnelOwner {
  onTunnelOver(): void;
  onFault(error: unknown): void;
}

/**
 * Bytes both ways after a 101, with backpressure and half-closes: one side's end is passed on while the other side goes
 * on, a reset is passed on as a reset. Silence of both sides for the idle timeout ends it.
 */
export class Tunnel implements TunnelReceiver, ClientTunnelHandler {
  readonly #connection: EndpointConnection;
  readonly #owner: TunnelOwner;
  #client: ClientTunnel | undefined;
  #over = false;
  #clientEnded = false;
  #endpointEnded = false;
  /** To the client. */
  sentBytes = 0;
  /** From the client. */
  receivedBytes = 0;

  constructor(connection: EndpointConnection, owner: TunnelOwner) {
    this.#connection = connection;
    this.#owner = owner;
  }

  /** @param bytes what the endpoint sent behind its 101 */
  begin(client: ClientTunnel, idleMs: number, bytes: Buffer, from: number, to: number): void {
    this.#client = client;
    this.#connection.beginTunnel(idleMs, this);
    if (to > from) this.onTunnelBytes(bytes, from, to);
    client.start();
  }

  onClientBytes(bytes: Buffer): void {
    this.receivedBytes += bytes.length;
    if (!this.#connection.writeTunnel(bytes)) this.#client?.pause();
  }

  onClientEnd(): void {
    this.#clientEnded = true;
    this.#connection.endTunnel();
    this.#endIfBothEnded();
  }

  onClientDrained(): void {
    this.#connection.resume();
  }

  onClientGone(): void {
    // After two orderly ends the endpoint's socket closes by itself, once it has taken all bytes.
    if (!this.#clientEnded || !this.#endpointEnded) this.#connection.abandon();
    this.#end();
  }

  /** Cuts both sides. */
  abort(): void {
    this.#connection.abandon();
    this.#client?.close(true);
  }

  onTunnelBytes(bytes: Buffer, from: number, to: number): boolean {
    const client = this.#client;
    if (client === undefined) return false;
    this.sentBytes += to - from;
    const inUse = client.write(bytes, from, to);
    if (client.clogged) this.#connection.pause();
    return inUse;
  }

  onWritable(): void {
    this.#client?.resume();
  }

  onTunnelEnd(): void {
    this.#endpointEnded = true;
    this.#client?.end();
    this.#endIfBothEnded();
  }

  onTunnelClosed(orderly: boolean): void {
    if (this.#over) return;
    // What the endpoint sent before it closed still reaches the client: an orderly end follows those bytes.
    if (orderly && !this.#clientEnded) this.#client?.end();
    else this.#client?.close(!orderly);
    if (!orderly || this.#clientEnded) this.#end();
  }

  onTunnelIdle(): void {
    this.#connection.abandon();
    this.#client?.close(false);
    this.#end();
  }

  onFault(error: unknown): void {
    this.abort();
    this.#owner.onFault(error);
    this.#end();
  }

  /** Both sockets close by themselves once both directions have ended and all bytes are out. */
  #endIfBothEnded(): void {
    if (this.#clientEnded && this.#endpointEnded) this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.onTunnelOver();
  }
}
