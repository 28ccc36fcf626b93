import type { ServiceKey } from '@swarmgate/registry';
import type { ServedService } from '../../model/served-service.ts';

type Changes = ReadonlyMap<ServiceKey, ServedService | undefined>;

/** Services that go to a worker in one message: compiling them must not keep its requests waiting. */
export const servicesAtOnce = 250;

/**
 * A change in pieces of bounded size. What is added or changed comes first and what is removed last, so that a route
 * that moves from one service to another is never without both.
 */
export function piecesOf(changes: Changes, atOnce: number = servicesAtOnce): readonly Changes[] {
  if (changes.size <= atOnce) return [changes];
  const puts = [...changes].filter(([, served]) => served !== undefined);
  const removals = [...changes].filter(([, served]) => served === undefined);
  const inOrder = [...puts, ...removals];
  const pieces: Changes[] = [];
  for (let from = 0; from < inOrder.length; from += atOnce) pieces.push(new Map(inOrder.slice(from, from + atOnce)));
  return pieces;
}

/** What a starting worker has not been sent yet. Services that change meanwhile are sent (again), as they are by then. */
export class Backlog {
  readonly #keys: Set<ServiceKey>;

  constructor(keys: Iterable<ServiceKey>) {
    this.#keys = new Set(keys);
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  add(keys: Iterable<ServiceKey>): void {
    for (const key of keys) this.#keys.add(key);
  }

  take(services: ReadonlyMap<ServiceKey, ServedService>, atOnce: number = servicesAtOnce): Changes {
    const taken = new Map<ServiceKey, ServedService | undefined>();
    for (const key of this.#keys) {
      if (taken.size === atOnce) break;
      taken.set(key, services.get(key));
      this.#keys.delete(key);
    }
    return taken;
  }
}
