/**
 * Services whose tasks are listed in quick succession, because Swarm sends no task events: added when something about the
 * service changed, dropped once it has converged. Pure: the caller passes the time.
 */
export interface FastPolledServices {
  readonly add: (serviceIds: Iterable<string>, nowMs: number) => void;
  /** Takes the result of a listing. */
  readonly seen: (serviceId: string, isConverged: boolean, nowMs: number) => void;
  readonly ids: () => readonly string[];
}

export interface FastPollLimits {
  /** Swarm needs a moment after the event before tasks move: a service that looks converged earlier stays. */
  readonly leastMs: number;
  /** A service that has not converged by then is left to the slower task poll, which lists it until it has. */
  readonly mostMs: number;
}

export function createFastPolledServices(limits: FastPollLimits): FastPolledServices {
  const addedAt = new Map<string, number>();
  return {
    add(serviceIds, nowMs) {
      for (const id of serviceIds) addedAt.set(id, nowMs);
    },
    seen(serviceId, isConverged, nowMs) {
      const since = addedAt.get(serviceId);
      if (since === undefined) return;
      const ageMs = nowMs - since;
      if (ageMs >= limits.mostMs || (isConverged && ageMs >= limits.leastMs)) addedAt.delete(serviceId);
    },
    ids: () => [...addedAt.keys()],
  };
}
