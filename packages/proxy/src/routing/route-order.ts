import type { CompiledRoute } from './claim.ts';
import { compareIdentity, type MatchingOrder } from './matching-order.ts';

/** Routes by their first claim. Those that claim nothing (default backends, then tcp and sni) come last. */
export function compareRoutes(one: CompiledRoute, other: CompiledRoute, order: MatchingOrder): number {
  const [first, otherFirst] = [one.claims[0], other.claims[0]];
  if (first && otherFirst) return order.compare(first, otherFirst);
  if (first || otherFirst) return first ? -1 : 1;
  return Number(one.mode === 'tcp') - Number(other.mode === 'tcp') || compareIdentity(one, other);
}
