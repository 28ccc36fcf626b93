import type { Problem, ServiceKey } from '@swarmgate/registry';
import { containerMemory, descriptorsInUse, type MemoryUse } from '@swarmgate/runtime';

/** Reported from this share of a resource on, and until its use is below the other: a use that goes up and down is reported once. */
const lowFrom = 0.9;
const enoughBelow = 0.8;

export interface WatchedResource {
  readonly key: ServiceKey;
  /** Share in use, from 0; `undefined`: unknown, or without a limit. */
  readonly share: () => number | undefined;
  readonly problem: () => Problem;
}

/** What this process, or its container, is about to run out of. Nothing is refused because of it. */
export class ResourceProblems {
  readonly #watched: readonly WatchedResource[];
  readonly #low = new Map<ServiceKey, readonly Problem[]>();

  constructor(watched: readonly WatchedResource[]) {
    this.#watched = watched;
  }

  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    for (const { key, share, problem } of this.#watched) {
      const now = share() ?? 0;
      if (now >= lowFrom && !this.#low.has(key)) this.#low.set(key, [problem()]);
      else if (now < enoughBelow) this.#low.delete(key);
    }
    return new Map(this.#low);
  }
}

/** @param shareOfClients of the client connections that descriptors allow */
export function descriptors(limit: number | undefined, shareOfClients: () => number): WatchedResource {
  return {
    key: 'env/descriptors',
    share: () => (limit === undefined ? undefined : Math.max((descriptorsInUse() ?? 0) / limit, shareOfClients())),
    problem: () => ({
      severity: 'warning',
      reason: 'descriptors-low',
      message: `a process of this replica has nearly as many connections as its ${limit} descriptors allow: more clients are closed at once`,
      suggestion:
        'raise the limit of open files (ulimits: nofile, or ulimit -n), start more replicas, or lower MAX_CONNECTIONS',
    }),
  };
}

/** @param read for tests */
export function memory(read: () => MemoryUse | undefined = containerMemory): WatchedResource {
  return {
    key: 'env/memory',
    share: () => {
      const use = read();
      return use && use.usedBytes / use.limitBytes;
    },
    problem: () => ({
      severity: 'warning',
      reason: 'memory-low',
      message: `the container of this replica has used nearly all of its memory (${Math.round((read()?.limitBytes ?? 0) / 2 ** 20)} MB): at the limit the system ends a process of it`,
      suggestion: 'raise the memory limit of the container, or lower WORKERS or MAX_CONNECTIONS',
    }),
  };
}
