import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Problem, ServiceKey } from '@swarmgate/registry';
import { pause } from '@swarmgate/runtime';
import type { Upstreams } from '../../endpoints/upstreams.ts';
import { CalledServices } from '../../middleware/calls/called-services.ts';
import type { Route } from '../../model/route.ts';
import type { RouteTable } from '../../routing/route-table.ts';

/** Services that are looked at before requests get their turn again: well under a millisecond. */
const atOnce = 100;

export interface ServingProblemsOptions {
  readonly table: () => Pick<RouteTable, 'routesOf' | 'statusOf'>;
  readonly upstreams: Pick<Upstreams, 'view'>;
  /** Another value whenever names or networks are others than before: addresses depend on them. */
  readonly addressesAsOf: () => unknown;
}

/**
 * The routes that have no usable address, or whose middlewares call a service that has none, under their services. What a
 * change names is looked at with the change, and the rest in pieces when names or networks have changed: to walk a large
 * table in one go would keep requests waiting.
 */
export class EndpointProblems {
  readonly #options: ServingProblemsOptions;
  readonly #known = new Set<ServiceKey>();
  /** Services with a route that had no address at the last check. */
  readonly #unreachable = new Set<ServiceKey>();
  readonly #called = new CalledServices();
  #lookedAsOf: unknown;

  constructor(options: ServingProblemsOptions) {
    this.#options = options;
  }

  /** The table has changed by these services. */
  apply(changes: ReadonlyMap<ServiceKey, unknown>): void {
    for (const [key, served] of changes) {
      if (served === undefined) {
        this.#known.delete(key);
        this.#unreachable.delete(key);
      } else {
        this.#known.add(key);
        this.#look(key);
      }
    }
  }

  /** The present problems of every service with a route without addresses. */
  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    const table = this.#options.table();
    const found = new Map<ServiceKey, readonly Problem[]>();
    for (const key of this.#unreachable) {
      const problems: Problem[] = [];
      for (const [route, problem] of this.#of(key)) {
        if (table.statusOf(route) !== 'in-force') continue;
        if (!problems.some(({ message }) => message === problem.message)) problems.push(problem);
      }
      if (problems.length > 0) found.set(key, problems);
    }
    return found;
  }

  /** Checks every service again after names or networks have changed, which it tests every `everyMs`. */
  async follow(everyMs: number, signal: AbortSignal): Promise<void> {
    while (await pause(everyMs, signal)) {
      const asOf = this.#options.addressesAsOf();
      if (asOf === this.#lookedAsOf) continue;
      this.#lookedAsOf = asOf;
      await this.#lookAtAll(signal);
    }
  }

  async #lookAtAll(signal: AbortSignal): Promise<void> {
    let looked = 0;
    for (const key of [...this.#known]) {
      if (this.#known.has(key)) this.#look(key);
      looked += 1;
      if (looked % atOnce === 0) await nextTurn();
      if (signal.aborted) return;
    }
  }

  #look(key: ServiceKey): void {
    const [first] = this.#of(key);
    if (first === undefined) this.#unreachable.delete(key);
    else this.#unreachable.add(key);
  }

  *#of(key: ServiceKey): Generator<readonly [Route, Problem]> {
    const { table, upstreams } = this.#options;
    for (const route of table().routesOf(key)) {
      if (route.redirectToHost !== undefined) continue;
      const { problem } = upstreams.view(route);
      if (problem !== undefined) yield [route, problem];
      for (const called of this.#called.of(route)) {
        const { problem: why } = upstreams.view(called.route);
        if (why !== undefined) yield [route, called.unreachable(why)];
      }
    }
  }
}
