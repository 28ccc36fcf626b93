import type { FaultOwner } from '@swarmgate/runtime';
import type { Endpoint } from '../model/endpoint.ts';
import type { DeadlineSweep, Timed } from './deadline-sweep.ts';
import { type ConnectionOwner, EndpointConnection } from './endpoint-connection.ts';
import { LivenessConnects, type LivenessConnectsOptions } from './liveness-connect.ts';

export interface PoolLimits {
  /** Connections to one endpoint. Default 1,024. */
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
  perEndpoint: 1_024,
  inAll: 16_384,
  queued: 1_024,
  queueMs: 30_000,
  connectMs: 5_000,
  idleMs: 55_000,
};

/**
 * Which idle connection will do. An endpoint may close an idle connection just when a request is on its way: a request
 * that can be sent again takes any; one that cannot takes one used a moment ago, or a fresh one.
 */
export type ReusePolicy = 'any' | 'recent' | 'fresh';
const recentMs = 1_000;
// An endpoint that sends `Keep-Alive: timeout=5` starts counting before the proxy does.
const promiseMarginMs = 1_000;

export interface Waiter extends FaultOwner {
  onConnection(connection: EndpointConnection): void;
  onQueueTimeout(): void;
}

interface Slot {
  readonly endpoint: Endpoint;
  readonly idle: EndpointConnection[];
  readonly queue: Queued[];
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
  #count = 0;
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
      onUnreachable: (endpoint) => this.#closeIdle(this.#slot(endpoint)),
      ...(openForLiveness === undefined ? {} : { open: openForLiveness }),
    });
    this.onOpened = onOpened;
    this.onFault = onFault;
    this.#limits = { ...defaultPoolLimits, ...limits };
  }

  /**
   * A connection at once, or `undefined` if the limits are reached and the request has to wait.
   * @param mostConnectMs how long a new one may take to open, where that is less than the pool's own limit
   */
  take(
    endpoint: Endpoint,
    wanted: ReusePolicy,
    mostConnectMs = Number.POSITIVE_INFINITY,
  ): EndpointConnection | undefined {
    const slot = this.#slot(endpoint);
    if (wanted !== 'fresh') {
      for (let idle = slot.idle.pop(); idle !== undefined; idle = slot.idle.pop()) {
        if (!idle.idle) continue;
        if (wanted === 'any' || this.sweep.nowMs - idle.idleSinceMs <= recentMs) return idle;
        // The one used last is too old, so all are: this one goes back for those that may take any.
        slot.idle.push(idle);
        break;
      }
    }
    return this.#mayOpen(slot) ? this.#open(slot, endpoint, mostConnectMs) : undefined;
  }

  /** Puts a request in line; `false` where the line is full. */
  wait(endpoint: Endpoint, waiter: Waiter): boolean {
    const slot = this.#slot(endpoint);
    if (slot.queue.length >= this.#limits.queued || this.#stopped) return false;
    const queued = new Queued(waiter, slot, this.sweep, this.sweep.in(this.#limits.queueMs));
    slot.queue.push(queued);
    return true;
  }

  /** Takes a request out of the line, wherever it stands. */
  forget(endpoint: Endpoint, waiter: Waiter): void {
    const queue = this.#slot(endpoint).queue;
    const at = queue.findIndex((queued) => queued.waiter === waiter);
    if (at !== -1) queue[at]?.leave();
  }

  onFinished(connection: EndpointConnection, reusable: boolean): void {
    const slot = this.#slot(connection.endpoint);
    if (!reusable || this.#stopped) {
      connection.socket.destroy();
      return;
    }
    const waiting = slot.queue[0];
    if (waiting !== undefined) {
      waiting.leave();
      waiting.waiter.onConnection(connection);
      return;
    }
    const idleMs = Math.min(this.#limits.idleMs, connection.promisedIdleMs - promiseMarginMs);
    connection.idleSinceMs = this.sweep.nowMs;
    connection.deadlineMs = this.sweep.nowMs + Math.max(0, idleMs);
    slot.idle.push(connection);
  }

  onClosed(connection: EndpointConnection): void {
    const slot = this.#slot(connection.endpoint);
    const at = slot.idle.indexOf(connection);
    if (at !== -1) slot.idle.splice(at, 1);
    this.#release(slot);
  }

  onDetached(connection: EndpointConnection): void {
    this.#release(this.#slot(connection.endpoint));
  }

  /** Open, idle and queued, of all endpoints: for the metrics. */
  sizes(): { readonly open: number; readonly idle: number; readonly queued: number } {
    let idle = 0;
    let queued = 0;
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
    for (const slot of this.#slots.values()) this.#closeIdle(slot);
  }

  /** One connection fewer: the first request in line gets its place. */
  #release(slot: Slot): void {
    slot.count--;
    this.#count--;
    const waiting = slot.queue[0];
    if (waiting !== undefined && this.#mayOpen(slot)) {
      waiting.leave();
      waiting.waiter.onConnection(this.#open(slot, slot.endpoint));
    } else if (slot.count === 0 && slot.queue.length === 0) this.#slots.delete(keyOf(slot.endpoint));
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
      slot = known ?? { endpoint, idle: [], queue: [], count: 0 };
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
    return false;
  }

  #open(slot: Slot, endpoint: Endpoint, mostConnectMs = Number.POSITIVE_INFINITY): EndpointConnection {
    slot.count++;
    this.#count++;
    return new EndpointConnection(endpoint, this, Math.min(this.#limits.connectMs, mostConnectMs));
  }
}

class Queued implements Timed {
  readonly waiter: Waiter;
  readonly deadlineMs: number;
  readonly #slot: Slot;
  readonly #sweep: DeadlineSweep;

  constructor(waiter: Waiter, slot: Slot, sweep: DeadlineSweep, deadlineMs: number) {
    this.waiter = waiter;
    this.#slot = slot;
    this.#sweep = sweep;
    this.deadlineMs = deadlineMs;
    sweep.add(this);
  }

  leave(): void {
    this.#sweep.remove(this);
    const at = this.#slot.queue.indexOf(this);
    if (at !== -1) this.#slot.queue.splice(at, 1);
  }

  onDeadline(): void {
    this.leave();
    this.waiter.onQueueTimeout();
  }

  onFault(error: unknown): void {
    this.waiter.onFault(error);
  }
}

function keyOf(endpoint: Endpoint): string {
  return `${endpoint.id} ${endpoint.secure ? 'tls' : 'tcp'} ${endpoint.host}:${endpoint.port}`;
}
