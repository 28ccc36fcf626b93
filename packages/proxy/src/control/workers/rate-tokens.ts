import type { CountedLimit, Limiters } from '../../middleware/limits/limiters.ts';
import type { Tokens } from './messages.ts';

// A limit this small is counted request by request, and so exactly.
const exactBelow = 100;

/**
 * Leases tokens of a rate limit to a worker: never more than the limit in all, and in batches where the limit is large
 * enough for what lies unused in other workers to make no difference.
 */
export async function leaseTokens(
  limiters: Pick<Limiters, 'count'>,
  limit: CountedLimit,
  key: string,
  workers: number,
): Promise<Tokens> {
  const first = await limiters.count(limit, key);
  if (!first.ok) return first;
  const more = batchOf(first.remaining, 'burst' in limit ? limit.burst : limit.requests, workers);
  const rest = more > 0 ? await limiters.count(limit, key, more) : undefined;
  return { ok: true, count: rest?.ok === true ? 1 + more : 1, forMs: first.resetsAfterMs };
}

/** At most a quarter of an even share of what is left, and a fiftieth of the limit. */
export function batchOf(remaining: number, requests: number, workers: number): number {
  if (requests < exactBelow) return 0;
  return Math.min(Math.floor(remaining / (4 * Math.max(1, workers))), Math.floor(requests / 50));
}
