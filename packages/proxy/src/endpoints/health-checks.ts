import type { ServiceKey } from '@swarmgate/registry';
import { guardPromise, LoopFaults, pause } from '@swarmgate/runtime';
import type { Endpoint } from '../model/endpoint.ts';
import type { Route } from '../model/route.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { Balancer } from './balancing/balancer.ts';
import type { Upstream } from './upstreams.ts';

/** Default interval of health checks, in milliseconds. */
const usualIntervalMs = 5_000;
/** A check that takes longer has failed. */
const longestCheckMs = 5_000;
/** Failed checks in a row before ejection. With 1, a single lost packet would eject an endpoint. */
const failuresToReport = 2;

export interface HealthChecksOptions {
  readonly upstreamOf: (route: Route) => Upstream;
  readonly balancer: Pick<Balancer, 'checked'>;
  readonly signal: AbortSignal;
  /** Checks one endpoint; resolves whether it is well, `undefined` where it could not be checked. Never rejects. */
  readonly check: (
    endpoint: Endpoint,
    route: Route,
    timeoutMs: number,
    signal: AbortSignal,
  ) => Promise<boolean | undefined>;
  readonly now?: () => number;
  /** Default `pause`. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<boolean>;
  /** Checks at the same time. Default 32. */
  readonly atOnce?: number;
}

interface Checked {
  readonly endpoint: Endpoint;
  dueMs: number;
  failures: number;
  busy: boolean;
}

/** Active health checks (`checkPath`, `checkTcp`): they eject an endpoint before a request fails. */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #now: () => number;
  readonly #routes = new Map<ServiceKey, readonly Route[]>();
  #states = new Map<string, Checked>();
  #running = 0;
  readonly #faults = new LoopFaults();

  constructor(options: HealthChecksOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Costs as much as the change. */
  apply(table: RouteTable, changed: Iterable<ServiceKey>): void {
    for (const key of changed) {
      const checked = table.routesOf(key).filter(isChecked);
      if (checked.length > 0) this.#routes.set(key, checked);
      else this.#routes.delete(key);
    }
  }

  /** Checks what is due until the signal aborts. Its owner awaits it. */
  async run(): Promise<void> {
    const { signal, wait = pause } = this.#options;
    while (await wait(250, signal)) {
      this.#startDue();
      this.#faults.throwFirst();
    }
  }

  #startDue(): void {
    const { upstreamOf, atOnce = 32 } = this.#options;
    const nowMs = this.#now();
    // Only what is still there is remembered.
    const states = new Map<string, Checked>();
    for (const route of [...this.#routes.values()].flat()) {
      for (const endpoint of upstreamOf(route).endpoints) {
        if (endpoint.state !== 'active') continue;
        const id = `${route.id} ${endpoint.id}`;
        const state = this.#states.get(id) ?? { endpoint, dueMs: nowMs, failures: 0, busy: false };
        states.set(id, state);
        if (state.busy || state.dueMs > nowMs || this.#running >= atOnce) continue;
        state.busy = true;
        this.#running += 1;
        guardPromise(this.#faults, this.#check(id, route, state));
      }
    }
    // It is no longer checked, so no check would bring it back: requests determine its health.
    for (const [id, { endpoint, failures }] of this.#states)
      if (failures >= failuresToReport && !states.has(id)) this.#options.balancer.checked(endpoint, true);
    this.#states = states;
  }

  async #check(id: string, route: Route, state: Checked): Promise<void> {
    const { endpoint } = state;
    const { balancer, signal, check } = this.#options;
    const intervalMs = route.destination.checkIntervalMs ?? usualIntervalMs;
    let passed: boolean | undefined;
    try {
      passed = await check(endpoint, route, Math.min(longestCheckMs, intervalMs), signal);
    } finally {
      this.#running -= 1;
      state.busy = false;
      state.dueMs = this.#now() + intervalMs;
    }
    // A finding about an endpoint that was let go meanwhile would keep it out for ever: no other one would follow.
    if (passed === undefined || signal.aborted || this.#states.get(id) !== state) return;
    state.failures = passed ? 0 : state.failures + 1;
    if (passed || state.failures >= failuresToReport) balancer.checked(endpoint, passed);
  }
}

function isChecked({ destination }: Route): boolean {
  return destination.checkPath !== undefined || destination.checkTcp === true;
}
