import type { UseOf } from '@swarmgate/labels';
import { proceed, refuse } from '../local-responses.ts';
import type { Decision, Middleware } from '../middleware.ts';
import type { Count } from './count.ts';
import type { Limiters } from './limiters.ts';
import { type BucketLimit, LocalBuckets } from './local-buckets.ts';
import { countKey, sourceAddress } from './source-address.ts';

export interface BucketParts {
  /** Processes that serve the route: each has its share of the limit. */
  readonly workers: number;
  /** Counts for all proxies together. Default: this process counts for itself. */
  readonly shared?: { readonly limiters: Pick<Limiters, 'count'>; readonly scope: string };
  /** Milliseconds; only differences count. Default `performance.now`. */
  readonly nowMs?: () => number;
  /** Clients that are remembered. Default 65,536. */
  readonly mostKeys?: number;
}

/**
 * `rateLimit` of a list: a bucket of `burst` tokens for each client, which fills by `average` per `period`. A request takes one;
 * without one it gets 429 and Retry-After. Counted over Redis where that is set, else in each process.
 */
export function tokenBucket(use: UseOf<'rateLimit'>, parts: BucketParts): Middleware {
  const { average, periodMs = 1_000, burst = 1, by = { kind: 'ip' } } = use;
  const { workers, shared, nowMs = () => performance.now(), mostKeys = 65_536 } = parts;
  const keyOf = countKey(by, sourceAddress(use));
  if (average === 0) return { name: 'rateLimit', onRequest: () => proceed };
  if (shared !== undefined) {
    const limit: BucketLimit = { requests: average, windowMs: periodMs, burst };
    const { limiters, scope } = shared;
    return {
      name: 'rateLimit',
      onRequest: async (exchange) => decisionOf(await limiters.count(limit, `${scope}:${keyOf(exchange)}`)),
    };
  }
  const share = Math.max(1, workers);
  const most = Math.max(1, Math.ceil(burst / share));
  const limit: BucketLimit = { requests: average / share, windowMs: periodMs, burst: most };
  const buckets = new LocalBuckets(mostKeys);
  return {
    name: 'rateLimit',
    onRequest: (exchange) => decisionOf(buckets.count(limit, keyOf(exchange), 1, nowMs())),
  };
}

function decisionOf(count: Count): Decision {
  if (count.ok) return proceed;
  return refuse('rate-limited', ['Retry-After', String(Math.max(1, Math.ceil(count.retryAfterMs / 1_000)))]);
}
