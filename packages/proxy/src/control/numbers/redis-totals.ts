import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Logger } from '@swarmgate/runtime';
import { connectRedis } from '../../middleware/limits/redis-connection.ts';
import { type ReplicaTotals, readTotals } from './replica-totals.ts';
import type { TotalsCarrier } from './shared-totals.ts';

export interface RedisTotalsOptions {
  /** `REDIS_URL`. */
  readonly url: string;
  /** `PROXY_INSTANCE_NAME`. */
  readonly instance: string;
  readonly logger: Logger;
}

// Longer than a replica needs to write the next; a replica that is gone is forgotten by then.
const keptMs = 30_000;
const mostBytes = 64 * 1_024 * 1_024;
// A key of some 100 KB, not a hint: it may take longer than those.
const commandTimeout = 1_000;

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** One key a replica, compressed, which ends by itself. */
export function redisTotals({ url, instance, logger }: RedisTotalsOptions): TotalsCarrier {
  const redis = connectRedis({
    url,
    logger,
    whileAway: 'numbers of other replicas come by the registry only',
    more: { commandTimeout },
  });
  const keyOf = (replica: string) => `swarmgate:${instance}:numbers:${replica}`;
  return {
    async put(totals) {
      try {
        await redis.set(keyOf(totals.replica), await zip(JSON.stringify(totals)), 'PX', keptMs);
      } catch (error) {
        logger.debug({ err: error }, 'Redis did not take the numbers of this replica');
      }
    },
    async get(replicas) {
      if (replicas.length === 0) return [];
      try {
        const values = await redis.mgetBuffer(replicas.map(keyOf));
        const found = await Promise.all(
          values.map(async (value, at) => {
            const totals = value === null ? undefined : await readZipped(value);
            return totals?.replica === replicas[at] ? totals : undefined;
          }),
        );
        return found.filter((totals) => totals !== undefined);
      } catch (error) {
        logger.debug({ err: error }, 'Redis did not respond with the numbers of other replicas');
        return [];
      }
    },
    stop() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}

async function readZipped(value: Buffer): Promise<ReplicaTotals | undefined> {
  try {
    return readTotals((await unzip(value, { maxOutputLength: mostBytes })).toString('utf8'));
  } catch {
    // Not ours.
    return undefined;
  }
}
