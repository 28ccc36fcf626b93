import { nameKind } from './name-kind.ts';
import type { RequiredName } from './select-names.ts';

/** Names in one certificate at most. CAs allow 100; one failing name costs all others of its order. */
export const mostNamesOfOrder = 25;

export type NameGroup = readonly [RequiredName, ...RequiredName[]];

/**
 * Names that share an order: those of one service that are ordered the same way, at most 25 together. A name that failed
 * before is alone, so that it holds up no other.
 */
export function groupNames(names: readonly RequiredName[], isFailing: (name: string) => boolean): readonly NameGroup[] {
  const open = new Map<string, RequiredName[]>();
  const groups: RequiredName[][] = [];
  for (const each of names) {
    const key = isFailing(each.name) ? `failing ${each.name}` : sharingKey(each);
    let group = open.get(key);
    if (group === undefined || group.length === mostNamesOfOrder) {
      group = [];
      groups.push(group);
      open.set(key, group);
    }
    group.push(each);
  }
  return groups as unknown as readonly NameGroup[];
}

function sharingKey({ name, services, issuers, challenges, profile }: RequiredName): string {
  // Addresses need the short-lived profile, which names need not follow.
  return JSON.stringify([services[0], issuers, challenges, profile, nameKind(name) === 'ip']);
}
