import type { RegisteredService } from './registered-services.ts';

/** Which Swarm responded last, and how recent the state of the responding manager was. */
export interface Evidence {
  readonly swarmId: string;
  /** The highest Raft index among all listed objects. */
  readonly highestVersionIndex: number;
}

export interface Permissions {
  /** The Swarm that the operator let take over another one's services (`swarmgate adopt`). */
  readonly adoptedSwarmId?: string;
  /** Raft indexes up to this one no longer count as newer than a manager with a lower one. */
  readonly acceptedVersionIndex: number;
}

export type Judgement =
  | { readonly kind: 'fresh' }
  /** The registry holds something newer: the manager lags behind, or is partitioned. */
  | { readonly kind: 'stale'; readonly registeredVersionIndex: number }
  /** The Swarm was recreated, or SWARM_NAME belongs to another Swarm. */
  | { readonly kind: 'other-swarm'; readonly registeredSwarmId: string };

/**
 * Whether this state of the Swarm may be published. A partitioned manager returns stale lists for about 17 s; every object
 * carries the Raft index of its last change, so a response whose highest index is below one in the registry is older than
 * what was published. Pure.
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
