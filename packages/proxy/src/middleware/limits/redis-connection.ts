import { createRequire } from 'node:module';
import type { Logger } from '@swarmgate/runtime';
import type { Redis, RedisOptions } from 'ioredis';

/** Maximum delay by a hanging Redis, in milliseconds; after it the caller continues without Redis. */
export const mostWaitMs = 100;

export interface RedisUse {
  /** `REDIS_URL`. Never logged. */
  readonly url: string;
  readonly logger: Logger;
  /** What is missing while it is away, for the log: `rate limits are this proxy’s own`. */
  readonly whileAway: string;
  readonly more?: Pick<RedisOptions, 'autoResubscribe' | 'commandTimeout'>;
}

/** A connection that reconnects by itself and never queues: a command that cannot be sent now fails at once. */
export function connectRedis({ url, logger, whileAway, more = {} }: RedisUse): Redis {
  const redis = new (loadIoredis().Redis)(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: mostWaitMs,
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(200 * attempt, 2_000),
    ...more,
  });
  let reported = false;
  redis.on('ready', () => {
    if (reported) logger.info('Redis is back');
    reported = false;
  });
  redis.on('error', (error: Error) => {
    if (!reported) logger.warn({ err: error.message }, `Redis is away: ${whileAway}`);
    reported = true;
  });
  return redis;
}

const require = createRequire(import.meta.url);

/** Loaded on use: it costs 5 MB, and workers have no connection to Redis. */
function loadIoredis(): typeof import('ioredis') {
  return require('ioredis');
}
