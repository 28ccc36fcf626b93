import type { Endpoint, EndpointOutcome, EndpointPick } from '../../model/endpoint.ts';
import type { Route } from '../../model/route.ts';
import {
  afterCheck,
  afterOutcome,
  afterPeerEjection,
  atTime,
  defaultHealthPolicy,
  type EndpointHealth,
  type HealthPolicy,
  newlyMet,
  shareOf,
} from '../endpoint-health.ts';
import type { Upstream } from '../upstreams.ts';
import type { AlgorithmName, BalancingAlgorithm } from './algorithm.ts';
import { algorithms } from './algorithms.ts';
import { stickyToken } from './sticky-token.ts';

export interface BalancerOptions {
  readonly policy?: HealthPolicy;
  /** Milliseconds; only differences count. Default `performance.now`. */
  readonly now?: () => number;
  readonly random?: () => number;
  /** Called when an endpoint is ejected or found failing by a check. */
  readonly onEjected?: (endpoint: Endpoint, health: EndpointHealth) => void;
}

export interface ReusePolicy {
  /** The sticky token of the endpoint that has the session: see `stickyToken`. */
  readonly stickTo?: string;
  readonly except?: ReadonlySet<string>;
}

/** The state of an endpoint that is not healthy and idle. */
export interface EndpointInUse {
  readonly id: string;
  readonly health: EndpointHealth['kind'];
  readonly outstanding: number;
}

interface EndpointState {
  health: EndpointHealth;
  outstanding: number;
  usedMs: number;
}

// The state of an endpoint that was not picked in this time is dropped.
const forgetAfterMs = 10 * 60_000;

/**
 * Picks endpoints of an upstream and keeps their health and load by endpoint id, so table swaps do not affect it.
 */
export class Balancer {
  readonly #policy: HealthPolicy;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #onEjected: BalancerOptions['onEjected'];
  readonly #states = new Map<string, EndpointState>();
  readonly #algorithms = new Map<AlgorithmName, BalancingAlgorithm>();
  #droppedMs: number;
  #inFlight = 0;

  constructor(options: BalancerOptions = {}) {
    this.#policy = options.policy ?? defaultHealthPolicy;
    this.#now = options.now ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
    this.#onEjected = options.onEjected;
    this.#droppedMs = this.#now();
  }

  /** Picks and counts the request as outstanding until `finished`. */
  pick(route: Route, upstream: Upstream, required: ReusePolicy): EndpointPick {
    const chosen = this.#choose(route, upstream, required);
    if (chosen === undefined) return { kind: 'none', reason: upstream.ifNone };
    const state = this.#stateOf(chosen.id);
    state.outstanding += 1;
    this.#inFlight += 1;
    const hasOthers = upstream.endpoints.length > 1 && isOneOfMany(chosen, upstream, required);
    return { kind: 'endpoint', endpoint: chosen, hasOthers };
  }

  finished(endpoint: Endpoint, outcome: EndpointOutcome): void {
    const nowMs = this.#now();
    const state = this.#stateOf(endpoint.id);
    // Kept while a request is outstanding, so its time counts from the last end.
    state.usedMs = nowMs;
    if (state.outstanding > 0) {
      state.outstanding -= 1;
      this.#inFlight -= 1;
    }
    this.#put(endpoint, state, afterOutcome(state.health, outcome, nowMs, this.#policy));
    this.#dropUnused(nowMs);
  }

  checked(endpoint: Endpoint, passed: boolean): void {
    const nowMs = this.#now();
    const state = this.#stateOf(endpoint.id);
    state.usedMs = nowMs;
    this.#put(endpoint, state, afterCheck(state.health, passed, nowMs, this.#policy));
  }

  healthOf(id: string): EndpointHealth {
    const state = this.#states.get(id);
    return state === undefined ? newlyMet : atTime(state.health, this.#now(), this.#policy);
  }

  outstandingOf(id: string): number {
    return this.#states.get(id)?.outstanding ?? 0;
  }

  /** Another worker ejected this endpoint: it is ejected here too, for at least as long. */
  applyEjection(id: string, { forMs, ejections }: { readonly forMs: number; readonly ejections: number }): void {
    const nowMs = this.#now();
    const state = this.#stateOf(id);
    const present = atTime(state.health, nowMs, this.#policy);
    const untilMs = nowMs + forMs;
    if (present.kind === 'failing-checks' || (present.kind === 'ejected' && present.untilMs >= untilMs)) return;
    state.health = { kind: 'ejected', untilMs, ejections };
    state.usedMs = nowMs;
  }

  /** As `checked`, for a result of the control process, which also counts and logs it. */
  applyCheck(id: string, passed: boolean): void {
    const nowMs = this.#now();
    const state = passed ? this.#states.get(id) : this.#stateOf(id);
    if (state === undefined) return;
    state.usedMs = nowMs;
    state.health = afterCheck(state.health, passed, nowMs, this.#policy);
  }

  /** Another replica ejected it: see `afterPeerEjection`. Ignored for endpoints without requests here. */
  peerEjected(id: string): void {
    const state = this.#states.get(id);
    if (state !== undefined) state.health = afterPeerEjection(state.health, this.#now(), this.#policy);
  }

  /** Requests and relayed connections that have not finished yet, of all endpoints. */
  get inFlight(): number {
    return this.#inFlight;
  }

  inUse(): readonly EndpointInUse[] {
    const nowMs = this.#now();
    const found: EndpointInUse[] = [];
    for (const [id, { health, outstanding }] of this.#states) {
      const { kind } = atTime(health, nowMs, this.#policy);
      if (kind !== 'healthy' || outstanding > 0) found.push({ id, health: kind, outstanding });
    }
    return found;
  }

  #choose(route: Route, upstream: Upstream, required: ReusePolicy): Endpoint | undefined {
    const { except } = required;
    const [first] = upstream.endpoints;
    // A single endpoint is chosen whatever its health, see below; this skips the weighing.
    if (first !== undefined && upstream.endpoints.length === 1)
      return first.state === 'active' && !except?.has(first.id) ? first : undefined;
    return this.#weigh(route, upstream, required, this.#now());
  }

  #weigh(route: Route, upstream: Upstream, { except, stickTo }: ReusePolicy, nowMs: number): Endpoint | undefined {
    const open = upstream.endpoints.filter((each) => each.state === 'active' && !except?.has(each.id));
    if (open.length === 0) return undefined;
    if (upstream.inOrder) return open[0];
    const share = (endpoint: Endpoint) => {
      const state = this.#states.get(endpoint.id);
      return state === undefined ? 1 : shareOf(state.health, nowMs, this.#policy);
    };
    const usable = (each: Endpoint) => share(each) > 0;
    const tier = open.some(isBackup) ? tierOf(open, usable) : open;
    if (stickTo !== undefined) {
      const stuck = tier.find((each) => stickyToken(each) === stickTo);
      if (stuck !== undefined && usable(stuck)) return stuck;
    }
    const willing = tier.filter((each) => {
      const its = share(each);
      return its === 1 || (its > 0 && this.#random() < its);
    });
    // If all are ejected, all are tried: ejection must not turn a few errors into an outage.
    const among = willing.length > 0 ? willing : tier;
    return this.#algorithmOf(upstream.balance ?? route.definition.balance).choose(route, among);
  }

  #algorithmOf(name: AlgorithmName = 'round-robin'): BalancingAlgorithm {
    let algorithm = this.#algorithms.get(name);
    if (algorithm === undefined) {
      algorithm = algorithms[name]({ random: this.#random, outstandingOf: (id) => this.outstandingOf(id) });
      this.#algorithms.set(name, algorithm);
    }
    return algorithm;
  }

  #stateOf(id: string): EndpointState {
    let state = this.#states.get(id);
    if (state === undefined) {
      state = { health: newlyMet, outstanding: 0, usedMs: this.#now() };
      this.#states.set(id, state);
    }
    return state;
  }

  #put(endpoint: Endpoint, state: EndpointState, health: EndpointHealth): void {
    const before = state.health.kind;
    state.health = health;
    const out = health.kind === 'ejected' || health.kind === 'failing-checks';
    if (out && health.kind !== before) this.#onEjected?.(endpoint, health);
  }

  #dropUnused(nowMs: number): void {
    if (nowMs - this.#droppedMs < forgetAfterMs) return;
    this.#droppedMs = nowMs;
    for (const [id, state] of this.#states)
      if (state.outstanding === 0 && nowMs - state.usedMs > forgetAfterMs) this.#states.delete(id);
    for (const algorithm of this.#algorithms.values()) algorithm.forget?.();
  }
}

function isBackup({ backup }: Endpoint): boolean {
  return backup === true;
}

/** The backups where every other endpoint is ejected. All where they are ejected too. */
function tierOf(open: readonly Endpoint[], usable: (each: Endpoint) => boolean): readonly Endpoint[] {
  const first = open.filter((each) => !isBackup(each));
  if (first.some(usable)) return first;
  const backups = open.filter(isBackup);
  return backups.some(usable) ? backups : open;
}

function isOneOfMany(chosen: Endpoint, { endpoints }: Upstream, { except }: ReusePolicy): boolean {
  return endpoints.some((each) => each !== chosen && each.state === 'active' && !except?.has(each.id));
}
