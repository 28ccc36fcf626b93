import { type Document, isAlias, isMap, isScalar, isSeq, type Pair } from 'yaml';

/** The node under these keys, aliases and merge keys on the way resolved; `undefined`: there is none. */
export function nodeUnder(node: unknown, keys: readonly string[], document: Document): unknown {
  let found: unknown = isAlias(node) ? node.resolve(document) : node;
  for (const key of keys) {
    const pair = pairsOf(found, document).find((each) => keyOf(each) === key);
    if (pair === undefined) return undefined;
    found = pair.value;
  }
  return found;
}

/** The pairs of a map with those of its merge keys (`<<`), which its own override. */
export function pairsOf(node: unknown, document: Document): readonly Pair[] {
  const resolved = isAlias(node) ? node.resolve(document) : node;
  if (isSeq(resolved)) return resolved.items.flatMap((item) => pairsOf(item, document)).reverse();
  if (!isMap(resolved)) return [];
  const pairs = new Map<unknown, Pair>();
  const own: Pair[] = [];
  for (const pair of resolved.items) {
    if (!isMergeKey(pair.key)) own.push(pair);
    else for (const merged of pairsOf(pair.value, document)) pairs.set(keyOf(merged), merged);
  }
  for (const pair of own) pairs.set(keyOf(pair), isAlias(pair.value) ? withValue(pair, document) : pair);
  return [...pairs.values()];
}

function withValue(pair: Pair, document: Document): Pair {
  const copy = pair.clone() as Pair;
  copy.value = isAlias(pair.value) ? pair.value.resolve(document) : pair.value;
  return copy;
}

const isMergeKey = (key: unknown) => isScalar(key) && key.source === '<<' && key.type === 'PLAIN';
const keyOf = (pair: Pair): unknown => (isScalar(pair.key) ? pair.key.value : pair.key);
