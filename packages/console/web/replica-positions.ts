import type { Replica, Status } from './types.ts';

type Positions = Pick<Status, 'sequence'> & {
  readonly registry: Pick<Status['registry'], 'registryId'>;
  readonly replicas: readonly Pick<Status['replicas'][number], 'registryId' | 'sequence'>[];
};

/** The newest change of the registry in use that one of the replicas serves. */
export function newestChange({ sequence, registry, replicas }: Positions): number {
  const ofThis = replicas.filter((each) => isOf(registry, each));
  return Math.max(sequence, ...ofThis.map((each) => each.sequence));
}

/** After a lost registry replicas come over to the new one, whose sequences begin again, one by one. */
export function describeBehind(replica: Positions['replicas'][number], status: Positions): string {
  // One that was there before the registry's first change has read none.
  if (!isOf(status.registry, replica) && replica.registryId !== '') return 'serves another registry';
  const behind = newestChange(status) - replica.sequence;
  return behind === 0 ? 'none' : `${behind} ${behind === 1 ? 'change' : 'changes'}`;
}

/** The replicas with this one at the change that it serves now: what each reports to the registry comes later. */
export function replicasOf({ replica: own, sequence, registry, replicas }: OwnPositions): readonly Replica[] {
  return replicas.map((each) =>
    each.replica === own && isOf(registry, each) ? { ...each, sequence: Math.max(sequence, each.sequence) } : each,
  );
}

type OwnPositions = Pick<Status, 'replica' | 'sequence' | 'replicas'> & Pick<Positions, 'registry'>;

/**
 * Which replicas of the registry in use serve the change behind `before`, and which do not yet; those that drain are not waited for
 * where there are others. Any change behind it counts: the responses to changes do not name theirs until all replicas serve them.
 */
export function describeProgress(
  { registry, replicas }: Pick<Positions, 'registry'> & { readonly replicas: readonly ProgressedReplica[] },
  before: number,
): string {
  const inUse = replicas.filter((each) => isOf(registry, each) || each.registryId === '');
  const staying = inUse.filter(({ draining }) => draining !== true);
  const ofThis = staying.length > 0 ? staying : inUse;
  const missing = ofThis.filter(({ sequence }) => sequence <= before);
  if (missing.length === ofThis.length) return 'The change is being written.';
  const served = `Served by ${ofThis.length - missing.length} of ${ofThis.length} replicas`;
  return missing.length === 0
    ? `${served}.`
    : `${served}; not yet by ${missing.map(({ replica }) => replica).join(', ')}.`;
}

type ProgressedReplica = Pick<Replica, 'replica' | 'registryId' | 'sequence' | 'draining'>;

/** Whether the registry responds, and what it holds. */
export function describeRegistry({ reachable, state }: Pick<Status['registry'], 'reachable' | 'state'>): string {
  if (!reachable) return state.kind === 'away' ? 'away' : `not reached yet (${state.kind})`;
  return state.kind === 'holding' && state.held === 0 ? 'empty: nothing is registered yet' : state.kind;
}

function isOf(registry: Positions['registry'], { registryId }: Pick<Replica, 'registryId'>): boolean {
  return registryId === registry.registryId;
}
