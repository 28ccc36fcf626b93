import type { Redis } from 'ioredis';
import type { Count } from './count.ts';
import { type BucketLimit, bucketCount } from './local-buckets.ts';

/** By Redis's own clock: those of the proxies may differ. An idle bucket is forgotten when it is full. */
const script = `
local perMs, burst, taking = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(known[1]) or burst
local at = tonumber(known[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * perMs)
local taken = 0
if tokens >= taking then
  tokens = tokens - taking
  taken = 1
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.0f', math.max(now, at)))
redis.call('PEXPIRE', KEYS[1], math.ceil(math.min(86400000, (burst - tokens) / perMs)) + 1000)
return { taken, string.format('%.6f', tokens) }
`;

/** Token buckets that all proxies of an instance share. Rejects where Redis does not count. */
export function redisBuckets(
  redis: Pick<Redis, 'eval'>,
  instance: string,
): (limit: BucketLimit, key: string, requests: number) => Promise<Count> {
  return async ({ requests: average, windowMs, burst }, key, requests) => {
    const perMs = average / windowMs;
    const name = `swarmgate:${instance}:bucket:${average}:${windowMs}:${burst}:${key}`;
    const [taken, tokens] = (await redis.eval(script, 1, name, perMs, burst, requests)) as [number, string];
    return bucketCount(taken === 1, Number(tokens), requests, perMs);
  };
}
