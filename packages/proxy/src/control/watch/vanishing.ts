import type { ServiceKey } from '@swarmgate/registry';

/** How many services must have been known before their loss can count as a loss of the registry's content. */
const fewestForMassLoss = 10;

export interface Vanishing {
  /** Not to be served any more. */
  readonly remove: readonly ServiceKey[];
  /** To be served on until they return, the journal names them, or an operator releases them. */
  readonly hold: readonly ServiceKey[];
}

export interface FullReadComparison {
  /** Keys that were served from the registry before this read. */
  readonly known: Iterable<ServiceKey>;
  /** Keys that stand in the registry now. */
  readonly present: { readonly has: (key: ServiceKey) => boolean };
  /** Keys whose removal the journal explains. */
  readonly journalled: ReadonlySet<ServiceKey>;
  /** Another `registryId` than before: a new registry explains nothing about the former one. */
  readonly otherRegistry: boolean;
  /** How many went unexplained shortly before: keys that are deleted one by one are one loss too. Default 0. */
  readonly recentlyLost?: number;
}

/**
 * What becomes of the services that a full read does not find any more (docs/registry.md). Removals in the journal
 * apply at once, in any number. Of the rest, a few are manual edits; more than half of at least 10 are a loss, and held.
 * From another registry nothing is removed that its own journal does not name.
 */
export function decideVanished(read: FullReadComparison): Vanishing {
  const remove: ServiceKey[] = [];
  const unexplained: ServiceKey[] = [];
  let unjournalled = 0;
  for (const key of read.known) {
    if (read.present.has(key)) unjournalled += 1;
    else if (read.journalled.has(key)) remove.push(key);
    else {
      unjournalled += 1;
      unexplained.push(key);
    }
  }
  const { recentlyLost = 0 } = read;
  const known = unjournalled + recentlyLost;
  const isLoss = known >= fewestForMassLoss && (unexplained.length + recentlyLost) * 2 > known;
  if (read.otherRegistry || isLoss) return { remove, hold: unexplained };
  return { remove: [...remove, ...unexplained], hold: [] };
}
