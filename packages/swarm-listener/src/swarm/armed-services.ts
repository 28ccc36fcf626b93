/**
 * Services whose tasks are listed over and over because Swarm sends no task events: armed by an event, disarmed once
 * converged. Pure: the caller brings the time.
 */
export interface ArmedServices {
  arm(serviceIds: Iterable<string>, nowMs: number): void;
  /** Tells what a listing showed. */
  seen(serviceId: string, converged: boolean, nowMs: number): void;
  ids(): readonly string[];
}

export interface ArmingLimits {
  /** Swarm needs a moment after the event before anything moves: converged earlier than this is not believed. */
  readonly leastMs: number;
  /** A service that has not converged by then is left to the slower sweep, which lists it as long as it has not. */
  readonly mostMs: number;
}

export function createArmedServices(limits: ArmingLimits): ArmedServices {
  const armedAt = new Map<string, number>();
  return {
    arm(serviceIds, nowMs) {
      for (const id of serviceIds) armedAt.set(id, nowMs);
    },
    seen(serviceId, converged, nowMs) {
      const since = armedAt.get(serviceId);
      if (since === undefined) return;
      const age = nowMs - since;
      if (age >= limits.mostMs || (converged && age >= limits.leastMs)) armedAt.delete(serviceId);
    },
    ids: () => [...armedAt.keys()],
  };
}
