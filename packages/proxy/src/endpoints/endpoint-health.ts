import type { EndpointOutcome } from '../model/endpoint.ts';

/** What is known of one endpoint from what happened to requests, and from active checks where there are any. */
export type EndpointHealth =
  | { readonly kind: 'healthy'; readonly failures: number }
  /** Gets no requests until then. `ejections` counts those in a row: each lasts longer. */
  | { readonly kind: 'ejected'; readonly untilMs: number; readonly ejections: number }
  /** Gets a share of its requests that grows to all of them. */
  | { readonly kind: 'returning'; readonly sinceMs: number; readonly ejections: number }
  /** An active check failed: only an active check brings it back. */
  | { readonly kind: 'failing-checks'; readonly ejections: number };

export interface HealthPolicy {
  /** Failures in a row that eject. Default 3. */
  readonly failuresToEject: number;
  /** Length of the first ejection in milliseconds; doubled each time it follows another. Default 2,000. */
  readonly firstEjectionMs: number;
  /** Default 60,000. */
  readonly longestEjectionMs: number;
  /** Time until a returning endpoint has its whole share again, in milliseconds. Default 10,000. */
  readonly slowReturnMs: number;
}

export const defaultHealthPolicy: HealthPolicy = {
  failuresToEject: 3,
  firstEjectionMs: 2_000,
  longestEjectionMs: 60_000,
  slowReturnMs: 10_000,
};

export const newlyMet: EndpointHealth = { kind: 'healthy', failures: 0 };

/** The effect of one finished request. An abandoned one has none: the client left. */
export function afterOutcome(
  health: EndpointHealth,
  outcome: EndpointOutcome,
  nowMs: number,
  policy: HealthPolicy,
): EndpointHealth {
  const present = atTime(health, nowMs, policy);
  if (outcome === 'abandoned' || present.kind === 'failing-checks') return present;
  if (outcome === 'responded') {
    // A late response to a request from before the ejection does not end it.
    return present.kind === 'healthy' && present.failures > 0 ? newlyMet : present;
  }
  switch (present.kind) {
    case 'healthy': {
      const failures = outcome === 'unreachable' ? policy.failuresToEject : present.failures + 1;
      return failures >= policy.failuresToEject ? eject(0, nowMs, policy) : { kind: 'healthy', failures };
    }
    case 'returning':
      return eject(present.ejections, nowMs, policy);
    case 'ejected':
      return present;
  }
}

/**
 * Another replica ejected this endpoint: the next failure here ejects it too. The report alone never ejects it, because
 * it may be false, or the other replica may be cut off from an endpoint that this one reaches.
 */
export function afterPeerEjection(health: EndpointHealth, nowMs: number, policy: HealthPolicy): EndpointHealth {
  const present = atTime(health, nowMs, policy);
  return present.kind === 'healthy' ? { kind: 'healthy', failures: policy.failuresToEject - 1 } : present;
}

export function afterCheck(
  health: EndpointHealth,
  passed: boolean,
  nowMs: number,
  policy: HealthPolicy,
): EndpointHealth {
  const present = atTime(health, nowMs, policy);
  if (!passed)
    return present.kind === 'failing-checks' ? present : { kind: 'failing-checks', ejections: ejectionsOf(present) };
  if (present.kind !== 'failing-checks') return present;
  return { kind: 'returning', sinceMs: nowMs, ejections: present.ejections };
}

/** The same health as time has made it: an ejection ends, a return completes. */
export function atTime(health: EndpointHealth, nowMs: number, policy: HealthPolicy): EndpointHealth {
  if (health.kind === 'ejected' && nowMs >= health.untilMs) {
    return atTime({ kind: 'returning', sinceMs: health.untilMs, ejections: health.ejections }, nowMs, policy);
  }
  if (health.kind === 'returning' && nowMs - health.sinceMs >= policy.slowReturnMs) return newlyMet;
  return health;
}

/** Share of its requests that the endpoint gets: 0 to 1. */
export function shareOf(health: EndpointHealth, nowMs: number, policy: HealthPolicy): number {
  const present = atTime(health, nowMs, policy);
  if (present.kind === 'healthy') return 1;
  if (present.kind !== 'returning') return 0;
  // Never zero: without requests its recovery would not be noticed.
  return Math.max(0.1, (nowMs - present.sinceMs) / policy.slowReturnMs);
}

function eject(ejectionsBefore: number, nowMs: number, policy: HealthPolicy): EndpointHealth {
  const lastsMs = Math.min(policy.longestEjectionMs, policy.firstEjectionMs * 2 ** Math.min(ejectionsBefore, 20));
  return { kind: 'ejected', untilMs: nowMs + lastsMs, ejections: ejectionsBefore + 1 };
}

function ejectionsOf(health: EndpointHealth): number {
  return health.kind === 'healthy' ? 0 : health.ejections;
}
