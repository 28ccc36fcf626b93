import type { Endpoint } from '../model/endpoint.ts';
import type { DeadlineSweep } from './deadline-sweep.ts';
import type { EndpointChannel } from './endpoint-channel.ts';
import { type ConnectionOwner, EndpointConnection } from './endpoint-connection.ts';
import { type ChannelWaiter, Http2Connections } from './http2/http2-connections.ts';
import { LivenessConnects, type LivenessConnectsOptions } from './liveness-connect.ts';
import { WaitingLine } from './waiting-line.ts';

export interface PoolLimits {
  /** Connections to one endpoint. Default 8,192, and half of `inAll` at most. */
  readonly perEndpoint: number;
  /** Connections to all endpoints. Default 16,384. */
  readonly inAll: number;
  /** Requests that wait for a connection to one endpoint. Default 1,024; more are refused (`queue-full`). */
  readonly queued: number;
  /** Default 30,000. */
  readonly queueMs: number;
  /** Default 5,000. */
  readonly connectMs: number;
  /**
   * Idle connections are closed after it. Default 55,000: IPVS forgets a connection after 900 s, many load balancers
   * after 60 s.
   */
  readonly idleMs: number;
}

export const defaultPoolLimits: PoolLimits = {
  perEndpoint: 8_192,
  inAll: 16_384,
  queued: 1_024,
  queueMs: 30_000,
  connectMs: 5_000,
  idleMs: 55_000,
};

/**
 * Which idle connection is used. An endpoint may close an idle connection just when a request is on its way: a request
 * that can be sent again takes any; one that cannot takes one used a moment ago, or a fresh one.
 */
export type ReusePolicy = 'any' | 'recent' | 'fresh';
const recentMs = 1_000;
// An endpoint that sends `Keep-Alive: timeout=5` starts counting before the proxy does.
const promiseMarginMs = 1_000;
/** Idle connections closed at once where the system has no descriptor for another one. */
const closedAtShortage = 16;
const shortageHoldsMs = 5_000;

export type Waiter = ChannelWaiter;

interface Slot {
  readonly endpoint: Endpoint;
  readonly idle: EndpointConnection[];
  readonly queue: WaitingLine<Waiter>;
  /** Open or opening, idle ones too. */
  count: number;
}

/**
 * Keep-alive connections to endpoints: reuses the one that was used last, opens new ones up to its limits, queues beyond
 * them. Endpoints are identified by id and address, so connections survive table swaps.
 */
export class ConnectionPool implements ConnectionOwner {
  readonly sweep: DeadlineSweep;
  readonly livenessConnects: LivenessConnects;
  readonly onOpened: (tookMs: number) => void;
  readonly onFault: (error: unknown) => void;
  readonly #limits: PoolLimits;
  readonly #slots = new Map<string, Slot>();
  readonly #slotOf = new WeakMap<Endpoint, Slot>();
  /** Lines with requests, which the limit of all connections keeps waiting, the longest first; each with what serves its first. */
  readonly #lines = new Map<WaitingLine<Waiter>, () => boolean>();
  readonly #http2: Http2Connections;
  #count = 0;
  #shortageAtMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  /**
   * @param onOpened called with the time each connection took to open, in milliseconds
   * @param openForLiveness for tests: a connection that is never accepted, which loopback cannot provide
   * @param onFault gets an error in a callback of a connection that no request uses
   */
  constructor(
    sweep: DeadlineSweep,
    limits: Partial<PoolLimits> = {},
    onOpened: (tookMs: number) => void = () => {},
    openForLiveness?: LivenessConnectsOptions['open'],
    onFault: (error: unknown) => void = () => {},
  ) {
    this.sweep = sweep;
    this.livenessConnects = new LivenessConnects({
      sweep,
      onUnreachable: (endpoint) =>
        endpoint.http2 === true ? this.#http2.retire(endpoint) : this.#closeIdle(this.#slot(endpoint)),
      ...(openForLiveness === undefined ? {} : { open: openForLiveness }),
    });
    this.onOpened = onOpened;
    this.onFault = onFault;
    const all = { ...defaultPoolLimits, ...limits };
    // The rest is for others where one endpoint lets every request wait.
    this.#limits = { ...all, perEndpoint: Math.min(all.perEndpoint, Math.max(1, Math.ceil(all.inAll / 2))) };
    const { connectMs, idleMs, perEndpoint } = this.#limits;
    this.#http2 = new Http2Connections({
      sweep,
      connectMs,
      idleMs,
      perEndpoint,
      onOpened,
      onFault,
      newLine: () => this.#newLine(),
      mayOpen: () => !this.#stopped && (this.#count < this.#limits.inAll || this.#closeAnIdleOne()),
      onCount: (change) => {
        this.#count += change;
        if (change === -1) this.#serveOthers();
      },
      onIdle: () => this.#serveOthers(),
      onLocalShortage: () => this.onLocalShortage(),
    });
  }

  /**
   * A connection at once, or `undefined` if the limits are reached and the request has to wait.
   * @param mostConnectMs how long a new one may take to open, where that is less than the pool's own limit
   */
  take(
    endpoint: Endpoint,
    required: ReusePolicy,
    mostConnectMs = Number.POSITIVE_INFINITY,
  ): EndpointChannel | undefined {
    if (endpoint.http2 === true) return this.#http2.take(endpoint, mostConnectMs);
    const slot = this.#slot(endpoint);
    if (required !== 'fresh') {
      for (let idle = slot.idle.pop(); idle !== undefined; idle = slot.idle.pop()) {
        if (!idle.idle) continue;
        if (required === 'any' || this.sweep.nowMs - idle.idleSinceMs <= recentMs) return idle;
        // The one used last is too old, so all are: this one goes back for those that may take any.
        slot.idle.push(idle);
        break;
      }
    }
    return this.#mayOpen(slot) ? this.#open(slot, endpoint, mostConnectMs) : undefined;
  }

  /** Puts a request in line; `false` where the line is full. */
  wait(endpoint: Endpoint, waiter: Waiter): boolean {
    const line = this.#line(endpoint);
    if (line.length >= this.#limits.queued || this.#stopped) return false;
    line.join(waiter, this.#limits.queueMs);
    this.#lines.set(line, () => this.#serveNextOf(endpoint));
    return true;
  }

  /** Takes a request out of the line, wherever it stands. */
  forget(endpoint: Endpoint, waiter: Waiter): void {
    this.#line(endpoint).forget(waiter);
  }

  onFinished(connection: EndpointConnection, reusable: boolean): void {
    const slot = this.#slot(connection.endpoint);
    if (!reusable || this.#stopped) {
      connection.socket.destroy();
      return;
    }
    const waiting = slot.queue.next();
    if (waiting !== undefined) {
      waiting.onConnection(connection);
      return;
    }
    const idleMs = Math.min(this.#limits.idleMs, connection.promisedIdleMs - promiseMarginMs);
    connection.restFor(Math.max(0, idleMs));
    slot.idle.push(connection);
    this.#serveOthers();
  }

  onClosed(connection: EndpointConnection): void {
    const slot = this.#slot(connection.endpoint);
    const at = slot.idle.indexOf(connection);
    if (at !== -1) slot.idle.splice(at, 1);
    this.#release(slot);
  }

  /** Idle connections are worth less than the requests that need their descriptors. */
  onLocalShortage(): void {
    this.#shortageAtMs = this.sweep.nowMs;
    for (let closed = 0; closed < closedAtShortage && this.#closeAnIdleOne(); closed += 1);
  }

  onDetached(connection: EndpointConnection): void {
    this.#release(this.#slot(connection.endpoint));
  }

  /** A connection could not be opened for lack of descriptors in the last 5 s. */
  get isShort(): boolean {
    return this.sweep.nowMs - this.#shortageAtMs < shortageHoldsMs;
  }

  /** Open, idle and queued, of all endpoints: for the metrics. */
  sizes(): { readonly open: number; readonly idle: number; readonly queued: number } {
    let { idle, queued } = this.#http2.sizes();
    for (const slot of this.#slots.values()) {
      idle += slot.idle.length;
      queued += slot.queue.length;
    }
    return { open: this.#count, idle, queued };
  }

  /** Closes idle connections now and the others as they finish. Nothing is queued any more. */
  stop(): void {
    this.#stopped = true;
    this.livenessConnects.stop();
    this.#http2.stop();
    for (const slot of this.#slots.values()) this.#closeIdle(slot);
  }

  #newLine(): WaitingLine<Waiter> {
    const line: WaitingLine<Waiter> = new WaitingLine(this.sweep, () => this.#lines.delete(line));
    return line;
  }

  #line(endpoint: Endpoint): WaitingLine<Waiter> {
    return endpoint.http2 === true ? this.#http2.line(endpoint) : this.#slot(endpoint).queue;
  }

  /** One connection fewer: the first request in line gets its place. */
  #release(slot: Slot): void {
    slot.count--;
    this.#count--;
    if (this.#serveNext(slot)) return;
    if (slot.count === 0 && slot.queue.length === 0) this.#slots.delete(keyOf(slot.endpoint));
    this.#serveOthers();
  }

  /** A place among all connections is free: it goes to the endpoint whose requests have waited for the longest. */
  #serveOthers(): void {
    if (this.#stopped) return;
    for (const serveNext of this.#lines.values()) if (serveNext()) return;
  }

  #serveNextOf(endpoint: Endpoint): boolean {
    return endpoint.http2 === true ? this.#http2.serveNext(endpoint) : this.#serveNext(this.#slot(endpoint));
  }

  #serveNext(slot: Slot): boolean {
    if (slot.queue.length === 0 || !this.#mayOpen(slot)) return false;
    slot.queue.next()?.onConnection(this.#open(slot, slot.endpoint));
    return true;
  }

  #closeIdle(slot: Slot): void {
    for (const connection of [...slot.idle]) connection.socket.destroy();
  }

  #slot(endpoint: Endpoint): Slot {
    const known = this.#slotOf.get(endpoint);
    if (known !== undefined && (known.count > 0 || known.queue.length > 0)) return known;
    const key = keyOf(endpoint);
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = known ?? { endpoint, idle: [], queue: this.#newLine(), count: 0 };
      this.#slots.set(key, slot);
    }
    this.#slotOf.set(endpoint, slot);
    return slot;
  }

  #mayOpen(slot: Slot): boolean {
    if (slot.count >= this.#limits.perEndpoint) return false;
    return this.#count < this.#limits.inAll || this.#closeAnIdleOne();
  }

  /** Room for a busy endpoint at the cost of a quiet one. */
  #closeAnIdleOne(): boolean {
    for (const slot of this.#slots.values()) {
      const oldest = slot.idle.shift();
      if (oldest !== undefined) {
        oldest.socket.destroy();
        return true;
      }
    }
    return this.#http2.closeAnIdleOne();
  }

  #open(slot: Slot, endpoint: Endpoint, mostConnectMs = Number.POSITIVE_INFINITY): EndpointConnection {
    slot.count++;
    this.#count++;
    return new EndpointConnection(endpoint, this, Math.min(this.#limits.connectMs, mostConnectMs));
  }
}

function keyOf(endpoint: Endpoint): string {
  return `${endpoint.id} ${endpoint.secure ? 'tls' : 'tcp'} ${endpoint.host}:${endpoint.port}`;
}
