import type { RegisteredService } from './registered-services.ts';

/** What the Swarm said last, and how fresh the manager was that said it. */
export interface Evidence {
  readonly swarmId: string;
  /** The highest version index among all objects that were listed. */
  readonly highestVersionIndex: number;
}

export interface Permissions {
  /** The Swarm that the operator allowed to take over what another one registered. */
  readonly adoptedSwarmId?: string;
  /** Version indexes up to here were accepted as lost although the manager's are lower. */
  readonly acceptedVersionIndex: number;
}

export type Judgement =
  | { readonly kind: 'fresh' }
  /** The registry knows something newer: the manager lags behind, or is cut off from the others. */
  | { readonly kind: 'stale'; readonly registeredVersionIndex: number }
  /** The Swarm was made anew, or SWARM_NAME is another Swarm's. */
  | { readonly kind: 'other-swarm'; readonly registeredSwarmId: string };

/**
 * Whether anything may be published from what the Swarm said. A manager cut off from the others answers old lists for
 * some 17 s; every object carries the Raft index of its last change, so an answer whose highest index is below one in
 * the registry is older than what was published. Pure.
 */
export function judgeEvidence(
  evidence: Evidence,
  present: ReadonlyMap<string, RegisteredService>,
  permissions: Permissions,
): Judgement {
  let highest = 0;
  for (const { definition } of present.values()) {
    if (definition === undefined || definition === 'uncertain' || definition.source.kind !== 'swarm') continue;
    const { swarmId, versionIndex } = definition.source;
    if (swarmId === evidence.swarmId) highest = Math.max(highest, versionIndex);
    else if (permissions.adoptedSwarmId !== evidence.swarmId)
      return { kind: 'other-swarm', registeredSwarmId: swarmId };
  }
  const isStale = evidence.highestVersionIndex < highest && highest > permissions.acceptedVersionIndex;
  return isStale ? { kind: 'stale', registeredVersionIndex: highest } : { kind: 'fresh' };
}
