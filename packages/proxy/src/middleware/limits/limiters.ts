import type { RateLimit } from '@swarmgate/registry';
import type { Logger } from '@swarmgate/runtime';
import { LRUCache } from 'lru-cache';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
// By file: the index loads clients of a dozen stores, 4 MB of each process.
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import RateLimiterRedis from 'rate-limiter-flexible/lib/RateLimiterRedis.js';
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js';
import type { Count } from './count.ts';
import { type BucketLimit, LocalBuckets } from './local-buckets.ts';
import { redisBuckets } from './redis-buckets.ts';
import { connectRedis } from './redis-connection.ts';

/** A limit of so many requests per window; with `burst` a token bucket. */
export type CountedLimit = RateLimit | BucketLimit;

export interface Limiters {
  /**
   * Counts requests of `key` against a limit. Never rejects: where Redis is away the count is this proxy's own.
   * @param requests how many; default 1
   */
  count(limit: CountedLimit, key: string, requests?: number): Promise<Count>;
  stop(): void;
}

export interface LimitersOptions {
  /** `REDIS_URL`. Not set: every proxy counts for itself. */
  readonly redisUrl: string | undefined;
  /** `PROXY_INSTANCE_NAME`: proxies of one instance share their counts. */
  readonly instance: string;
  readonly logger: Logger;
  /** Maximum number of keys that this process counts. Default 100,000; beyond it the least recently used key is dropped. */
  readonly mostKeys?: number;
}

// A client that sends a different key with every request would otherwise fill the memory until its windows end.
const mostKeysUsually = 100_000;

// Redis that hangs may cost one request `mostWaitMs`; then it is left alone for a while.
const restMs = 2_000;

// One limiter for each pair of count and window that is in use; labels change rarely.
const mostLimits = 1_000;

export function createLimiters(options: LimitersOptions): Limiters {
  const mostKeys = options.mostKeys ?? mostKeysUsually;
  const local = new LRUCache<string, RateLimiterMemory>({ max: mostLimits });
  const localOf = (limit: RateLimit) => remembered(local, limit, () => new RateLimiterMemory(settingsOf(limit)));
  // Made with the first limit, because it takes 2 MB.
  let counted: LRUCache<string, CountedKey> | undefined;
  const buckets = new LocalBuckets(mostKeys);
  const countLocally = async (limit: CountedLimit, key: string, requests = 1): Promise<Count> => {
    if ('burst' in limit)
      return buckets.count(limit, `${nameOf(limit)}/${limit.burst} ${key}`, requests, performance.now());
    const limiter = localOf(limit);
    const name = `${nameOf(limit)} ${key}`;
    counted ??= countedKeys(mostKeys);
    if (counted.get(name)?.limiter !== limiter) counted.set(name, { limiter, key });
    return consume(limiter, key, requests);
  };
  if (options.redisUrl === undefined) return { count: countLocally, stop: () => undefined };

  const { logger, redisUrl: url } = options;
  const redis = connectRedis({ url, logger, whileAway: 'rate limits are this proxy’s own' });
  const shared = new LRUCache<string, RateLimiterRedis>({ max: mostLimits });
  const sharedOf = (limit: RateLimit) =>
    remembered(
      shared,
      limit,
      () =>
        new RateLimiterRedis({
          ...settingsOf(limit),
          storeClient: redis,
          rejectIfRedisNotReady: true,
          keyPrefix: `swarmgate:${options.instance}:limit:${limit.requests}:${limit.windowMs}`,
        }),
    );
  const sharedBuckets = redisBuckets(redis, options.instance);
  let restUntilMs = 0;
  return {
    async count(limit, key, requests = 1) {
      if (redis.status !== 'ready' || performance.now() < restUntilMs) return countLocally(limit, key, requests);
      try {
        return await ('burst' in limit ? sharedBuckets(limit, key, requests) : consume(sharedOf(limit), key, requests));
      } catch (error) {
        restUntilMs = performance.now() + restMs;
        options.logger.warn({ err: error }, `Redis did not count; limits are this proxy’s own for ${restMs} ms`);
        return countLocally(limit, key, requests);
      }
    },
    stop: () => redis.disconnect(),
  };
}

interface CountedKey {
  readonly limiter: RateLimiterMemory;
  readonly key: string;
}

/** The least recently used key is dropped for a new one, with its count. */
function countedKeys(max: number): LRUCache<string, CountedKey> {
  return new LRUCache({ max, dispose: ({ limiter, key }) => void limiter.delete(key) });
}

function settingsOf(limit: RateLimit) {
  return { points: limit.requests, duration: limit.windowMs / 1000 };
}

function nameOf(limit: RateLimit): string {
  return `${limit.requests}/${limit.windowMs}`;
}

function remembered<T extends object>(cache: LRUCache<string, T>, limit: RateLimit, make: () => T): T {
  const name = nameOf(limit);
  const known = cache.get(name);
  if (known !== undefined) return known;
  const made = make();
  cache.set(name, made);
  return made;
}

/** The limiter rejects with its result where there are too many, and with an Error where it could not count. */
async function consume(limiter: RateLimiterAbstract, key: string, requests: number): Promise<Count> {
  try {
    const { remainingPoints, msBeforeNext } = await limiter.consume(key, requests);
    return { ok: true, remaining: remainingPoints, resetsAfterMs: msBeforeNext };
  } catch (thrown) {
    if (thrown instanceof RateLimiterRes) return { ok: false, retryAfterMs: Math.max(1, thrown.msBeforeNext) };
    throw thrown;
  }
}
