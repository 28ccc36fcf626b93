import type { BoundedYaml } from '@swarmgate/labels/traefik';
import { isAlias, isMap, isScalar, isSeq, type Pair } from 'yaml';

/** Aliases of one document. */
export type Aliases = Pick<BoundedYaml, 'resolved'>;

/** The node under these keys, aliases and merge keys on the way resolved; `undefined`: there is none. */
export function nodeUnder(node: unknown, keys: readonly string[], yaml: Aliases): unknown {
  let found: unknown = yaml.resolved(node);
  for (const key of keys) {
    const pair = pairsOf(found, yaml).find((each) => keyOf(each) === key);
    if (pair === undefined) return undefined;
    found = pair.value;
  }
  return found;
}

/** The value of a node as objects, lists and scalars, aliases and merge keys resolved. Its bounds limit what aliases repeat. */
export function plainOf(node: unknown, yaml: Aliases): unknown {
  const found = yaml.resolved(node);
  if (isScalar(found)) return found.value;
  if (isSeq(found)) return found.items.map((item) => plainOf(item, yaml));
  if (!isMap(found)) return found ?? null;
  return Object.fromEntries(pairsOf(found, yaml).map((pair) => [String(keyOf(pair)), plainOf(pair.value, yaml)]));
}

/** The pairs of a map with those of its merge keys (`<<`), which its own override. */
export function pairsOf(node: unknown, yaml: Aliases): readonly Pair[] {
  const resolved = yaml.resolved(node);
  if (isSeq(resolved)) return resolved.items.flatMap((item) => pairsOf(item, yaml)).reverse();
  if (!isMap(resolved)) return [];
  const pairs = new Map<unknown, Pair>();
  const own: Pair[] = [];
  for (const pair of resolved.items) {
    if (!isMergeKey(pair.key)) own.push(pair);
    else for (const merged of pairsOf(pair.value, yaml)) pairs.set(keyOf(merged), merged);
  }
  for (const pair of own) pairs.set(keyOf(pair), isAlias(pair.value) ? withValue(pair, yaml) : pair);
  return [...pairs.values()];
}

function withValue(pair: Pair, yaml: Aliases): Pair {
  const copy = pair.clone() as Pair;
  copy.value = yaml.resolved(pair.value);
  return copy;
}

const isMergeKey = (key: unknown) => isScalar(key) && key.source === '<<' && key.type === 'PLAIN';
const keyOf = (pair: Pair): unknown => (isScalar(pair.key) ? pair.key.value : pair.key);
