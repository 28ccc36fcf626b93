import { LRUCache } from 'lru-cache';
import type { Count } from './count.ts';

/** A bucket of `burst` tokens, which fills by `requests` per `windowMs`. Each request takes one. */
export interface BucketLimit {
  readonly requests: number;
  readonly windowMs: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** The buckets of this process. The least recently used one is dropped for a new one, and is full when it comes back. */
export class LocalBuckets {
  readonly #mostKeys: number;
  /** Made with the first bucket: for 100,000 keys it takes 2 MB, which a process without rate limits need not have. */
  #buckets: LRUCache<string, Bucket> | undefined;
  /** The one that was used last: requests of one client come together. */
  #last: { readonly key: string; readonly bucket: Bucket } | undefined;

  constructor(mostKeys: number) {
    this.#mostKeys = mostKeys;
  }

  /** @param nowMs milliseconds; only differences count */
  count({ requests: average, windowMs, burst }: BucketLimit, key: string, requests: number, nowMs: number): Count {
    const perMs = average / windowMs;
    const bucket = this.#last?.key === key ? this.#last.bucket : this.#bucketOf(key, burst, nowMs);
    bucket.tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) * perMs);
    bucket.atMs = nowMs;
    const isTaken = bucket.tokens >= requests;
    if (isTaken) bucket.tokens -= requests;
    return bucketCount(isTaken, bucket.tokens, requests, perMs);
  }

  #bucketOf(key: string, burst: number, nowMs: number): Bucket {
    this.#buckets ??= new LRUCache({ max: this.#mostKeys });
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = { tokens: burst, atMs: nowMs };
      this.#buckets.set(key, bucket);
    }
    this.#last = { key, bucket };
    return bucket;
  }
}

/** @param tokens that are left */
export function bucketCount(isTaken: boolean, tokens: number, requests: number, perMs: number): Count {
  if (!isTaken) return { ok: false, retryAfterMs: Math.max(1, Math.ceil((requests - tokens) / perMs)) };
  return { ok: true, remaining: Math.floor(tokens), resetsAfterMs: leaseMs };
}

/** How long a worker may keep tokens that it has taken in advance. */
const leaseMs = 1_000;
