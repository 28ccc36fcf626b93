import type { Endpoint } from '../../model/endpoint.ts';
import type { DeadlineSweep } from '../deadline-sweep.ts';
import type { ConnectionFault, EndpointChannel } from '../endpoint-channel.ts';
import type { PlaceWaiter, WaitingLine } from '../waiting-line.ts';
import { type ChannelQueue, Http2Channel } from './http2-channel.ts';
import { Http2Connection, type Http2ConnectionOwner, mostStreams } from './http2-connection.ts';

export interface ChannelWaiter extends PlaceWaiter {
  onConnection(channel: EndpointChannel): void;
}

/** What the pool of all connections decides and counts for those of HTTP/2. */
export interface Http2ConnectionsHost {
  readonly sweep: DeadlineSweep;
  readonly connectMs: number;
  readonly idleMs: number;
  /** Connections to one endpoint. */
  readonly perEndpoint: number;
  /** Another connection may be opened: there is room among those to all endpoints. */
  mayOpen(): boolean;
  onCount(change: 1 | -1): void;
  /** A connection has nothing left to do, and may be closed for another endpoint's. */
  onIdle(): void;
  /** This machine could not open a connection. */
  onLocalShortage(): void;
  newLine(): WaitingLine<ChannelWaiter>;
  onOpened(tookMs: number): void;
  onFault(error: unknown): void;
}

/**
 * Connections of HTTP/2 to endpoints: few for each, requests spread over them by the fewest outstanding, up to the
 * endpoint's limit and `mostStreams`. Another one is opened only where all are full. Requests sent while the first one
 * opens wait for its SETTINGS.
 */
export class Http2Connections {
  readonly #host: Http2ConnectionsHost;
  readonly #groups = new Map<string, EndpointGroup>();
  /** Saves making the key. */
  readonly #groupOf = new WeakMap<Endpoint, EndpointGroup>();
  #stopped = false;

  constructor(host: Http2ConnectionsHost) {
    this.#host = host;
  }

  /** A channel, or `undefined` where all connections are full and no other one may be opened. */
  take(endpoint: Endpoint, connectMs: number): Http2Channel | undefined {
    return this.#group(endpoint).take(connectMs);
  }

  line(endpoint: Endpoint): WaitingLine<ChannelWaiter> {
    return this.#group(endpoint).line;
  }

  /** Gives a channel to the first request in line. Returns `false` where there is none, or none waits. */
  serveNext(endpoint: Endpoint): boolean {
    return this.#group(endpoint).serveNext();
  }

  /** Takes the endpoint out of use: it accepts no connection, so those that there are get no new requests. */
  retire(endpoint: Endpoint): void {
    this.#groups.get(keyOf(endpoint))?.retire();
  }

  sizes(): { readonly idle: number; readonly queued: number } {
    let idle = 0;
    let queued = 0;
    for (const group of this.#groups.values()) {
      idle += group.idle;
      queued += group.line.length;
    }
    return { idle, queued };
  }

  /** Closes one that is idle. Returns whether there was one. */
  closeAnIdleOne(): boolean {
    for (const group of this.#groups.values()) if (group.closeAnIdleOne()) return true;
    return false;
  }

  /** Closes idle connections now and the others after their last response. */
  stop(): void {
    this.#stopped = true;
    for (const group of [...this.#groups.values()]) group.retire();
  }

  #group(endpoint: Endpoint): EndpointGroup {
    const known = this.#groupOf.get(endpoint);
    if (known?.isListed === true) return known;
    const key = keyOf(endpoint);
    let group = this.#groups.get(key);
    if (group === undefined) {
      const made = new EndpointGroup(endpoint, this.#host, {
        isStopped: () => this.#stopped,
        onEmpty: () => {
          made.isListed = false;
          this.#groups.delete(key);
        },
      });
      this.#groups.set(key, made);
      group = made;
    }
    this.#groupOf.set(endpoint, group);
    return group;
  }
}

interface GroupOwner {
  isStopped(): boolean;
  /** It has no connection and nothing waits. */
  onEmpty(): void;
}

/** The connections to one endpoint. */
class EndpointGroup implements Http2ConnectionOwner, ChannelQueue {
  readonly sweep: DeadlineSweep;
  readonly line: WaitingLine<ChannelWaiter>;
  /** It has not become empty. */
  isListed = true;
  readonly #endpoint: Endpoint;
  readonly #host: Http2ConnectionsHost;
  readonly #owner: GroupOwner;
  readonly #connections = new Set<Http2Connection>();
  /** Requests whose stream waits for a connection that is being opened. */
  readonly #waiting = new Set<Http2Channel>();
  #opening = 0;

  constructor(endpoint: Endpoint, host: Http2ConnectionsHost, owner: GroupOwner) {
    this.#endpoint = endpoint;
    this.#host = host;
    this.#owner = owner;
    this.sweep = host.sweep;
    this.line = host.newLine();
  }

  get idle(): number {
    let count = 0;
    for (const connection of this.#connections) if (connection.ready && connection.outstanding === 0) count++;
    return count;
  }

  take(connectMs: number): Http2Channel | undefined {
    const free = this.#leastOutstanding();
    const mayWait = free !== undefined || this.#waiting.size < this.#opening * mostStreams;
    if (!mayWait && !this.#open()) return undefined;
    const channel = new Http2Channel(this.#endpoint, this, Math.min(connectMs, this.#host.connectMs));
    if (free === undefined) this.#waiting.add(channel);
    else free.take(channel);
    return channel;
  }

  serveNext(): boolean {
    if (this.line.length === 0) return false;
    const channel = this.take(this.#host.connectMs);
    if (channel === undefined) return false;
    this.line.next()?.onConnection(channel);
    return true;
  }

  leave(channel: Http2Channel): void {
    this.#waiting.delete(channel);
  }

  retire(): void {
    for (const connection of [...this.#connections]) if (connection.ready) connection.retire();
  }

  closeAnIdleOne(): boolean {
    for (const connection of this.#connections) {
      if (!connection.ready || connection.outstanding > 0 || connection.capacity === 0) continue;
      connection.close();
      return true;
    }
    return false;
  }

  onReady(connection: Http2Connection): void {
    this.#opening--;
    // Another one would take no requests either.
    if (connection.capacity <= 0 && connection.outstanding === 0) {
      this.#failWaiting({ kind: 'unprocessed' });
      connection.close();
    } else this.onCapacity(connection);
  }

  onCapacity(connection: Http2Connection): void {
    this.#assign();
    if (connection.outstanding > 0) return;
    if (this.#owner.isStopped()) connection.close();
    else {
      connection.closeIn(this.#host.idleMs);
      this.#host.onIdle();
    }
  }

  onClosed(connection: Http2Connection, fault: ConnectionFault | undefined): void {
    this.#connections.delete(connection);
    this.#host.onCount(-1);
    if (fault !== undefined) {
      this.#opening--;
      if (fault.kind === 'local-shortage') this.#host.onLocalShortage();
      if (this.#opening === 0) this.#failWaiting(fault);
    }
    this.#assign();
    if (this.#connections.size === 0 && this.#waiting.size === 0 && this.line.length === 0) this.#owner.onEmpty();
  }

  onOpened(tookMs: number): void {
    this.#host.onOpened(tookMs);
  }

  onFault(error: unknown): void {
    this.#host.onFault(error);
  }

  /** Gives places to those that wait, and opens a connection for the others. */
  #assign(): void {
    if (this.#waiting.size === 0 && this.line.length === 0) return;
    // Of the set itself, not of a copy: a request that fails at once gives its place on, and comes here again.
    for (const channel of this.#waiting) {
      const free = this.#leastOutstanding();
      if (free === undefined) break;
      this.#waiting.delete(channel);
      this.#guarded(channel, () => free.take(channel));
    }
    if (this.#waiting.size > this.#opening * mostStreams) this.#open();
    while (this.serveNext());
  }

  #leastOutstanding(): Http2Connection | undefined {
    let best: Http2Connection | undefined;
    for (const connection of this.#connections)
      if (connection.capacity > 0 && (best === undefined || connection.outstanding < best.outstanding))
        best = connection;
    return best;
  }

  #open(): boolean {
    const host = this.#host;
    if (this.#connections.size >= host.perEndpoint || !host.mayOpen()) return false;
    host.onCount(1);
    this.#opening++;
    this.#connections.add(new Http2Connection(this.#endpoint, this, host.connectMs));
    return true;
  }

  #failWaiting(fault: ConnectionFault): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const channel of waiting) this.#guarded(channel, () => channel.fail(fault));
  }

  #guarded(channel: Http2Channel, act: () => void): void {
    try {
      act();
    } catch (error) {
      channel.onFault(error);
    }
  }
}

function keyOf({ id, secure, host, port }: Endpoint): string {
  return `${id} ${secure ? 'tls' : 'tcp'} ${host}:${port}`;
}
