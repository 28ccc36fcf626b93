import type { UseOf } from '@swarmgate/labels';
import { LRUCache } from 'lru-cache';
import { proceed, refuse } from '../local-responses.ts';
import type { Middleware } from '../middleware.ts';
import { countKey, sourceAddress } from './source-address.ts';

export interface BucketParts {
  /** Processes that serve the route: each has its share of the limit. */
  readonly workers: number;
  /** Milliseconds; only differences count. Default `performance.now`. */
  readonly nowMs?: () => number;
  /** Clients that are remembered; beyond it the least recently used one gets a full bucket. Default 65,536. */
  readonly mostKeys?: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/**
 * `rateLimit` of a list: a bucket of `burst` tokens for each client, which fills by `average` per `period`. A request takes one;
 * without one it gets 429 and Retry-After. Counted in each process, not over Redis.
 */
export function tokenBucket(use: UseOf<'rateLimit'>, parts: BucketParts): Middleware {
  const { average, periodMs = 1_000, burst = 1, by = { kind: 'ip' } } = use;
  const { workers, nowMs = () => performance.now(), mostKeys = 65_536 } = parts;
  const share = Math.max(1, workers);
  const perMs = average / periodMs / share;
  const most = Math.max(1, Math.ceil(burst / share));
  const keyOf = countKey(by, sourceAddress(use));
  const buckets = new LRUCache<string, Bucket>({ max: mostKeys });
  return {
    name: 'rateLimit',
    onRequest(exchange) {
      if (average === 0) return proceed;
      const key = keyOf(exchange);
      const now = nowMs();
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        bucket = { tokens: most, atMs: now };
        buckets.set(key, bucket);
      }
      bucket.tokens = Math.min(most, bucket.tokens + (now - bucket.atMs) * perMs);
      bucket.atMs = now;
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return proceed;
      }
      const waitMs = (1 - bucket.tokens) / perMs;
      return refuse('rate-limited', ['Retry-After', String(Math.max(1, Math.ceil(waitMs / 1_000)))]);
    },
  };
}
