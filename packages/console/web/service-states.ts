import { type ServiceRow, serviceRow } from './service-rows.ts';
import type { Problem, RowNumbers, StateRoute } from './types.ts';

/** What is known of every service, and the line of each: only lines of services that changed are made again. */
export class ServiceStates {
  readonly #routes = new Map<string, readonly StateRoute[]>();
  readonly #problems = new Map<string, readonly Problem[]>();
  readonly #numbers = new Map<string, RowNumbers>();
  readonly #rows = new Map<string, ServiceRow>();
  readonly #touched = new Set<string>();
  #problemsChanged = true;
  #allRows: readonly ServiceRow[] = [];
  #allProblems: readonly Problem[] = [];

  get size(): number {
    return this.#routes.size;
  }

  get numbers(): ReadonlyMap<string, RowNumbers> {
    return this.#numbers;
  }

  /** `null`: the service is gone. */
  setRoutes(key: string, routes: readonly StateRoute[] | null): void {
    set(this.#routes, key, routes);
    this.#touched.add(key);
  }

  setProblems(key: string, problems: readonly Problem[] | null): void {
    set(this.#problems, key, problems);
    this.#touched.add(key);
    this.#problemsChanged = true;
  }

  setNumbers(key: string, numbers: RowNumbers | null): void {
    set(this.#numbers, key, numbers);
    this.#touched.add(key);
  }

  /** A line for every service that any of the three names; the same list as long as none changes. */
  rows(): readonly ServiceRow[] {
    if (this.#touched.size === 0) return this.#allRows;
    for (const key of this.#touched) {
      const [routes, numbers, problems] = [this.#routes.get(key), this.#numbers.get(key), this.#problems.get(key)];
      if (routes === undefined && numbers === undefined && problems === undefined) this.#rows.delete(key);
      else this.#rows.set(key, serviceRow(key, routes ?? [], numbers, problems ?? []));
    }
    this.#touched.clear();
    this.#allRows = [...this.#rows.values()];
    return this.#allRows;
  }

  /** The same list as long as no problem changes. */
  problems(): readonly Problem[] {
    if (this.#problemsChanged) this.#allProblems = [...this.#problems.values()].flat();
    this.#problemsChanged = false;
    return this.#allProblems;
  }
}

function set<V>(map: Map<string, V>, key: string, value: V | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}
