import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RateLimit } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import type { Count } from '../../../packages/proxy/src/middleware/limits/count.ts';
import { createLimiters, type Limiters } from '../../../packages/proxy/src/middleware/limits/limiters.ts';
import { programPath } from '../../harness/binary-image.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { until } from '../../harness/until.ts';

const limit: RateLimit = { requests: 10, windowMs: 3_600_000 };

describe('rate limits over Redis', () => {
  let redis: ChildProcess;
  let redisUrl = '';
  const started: Limiters[] = [];

  before(async () => {
    const [port] = await freePorts(1);
    redisUrl = `redis://127.0.0.1:${port}`;
    redis = spawn(
      programPath('redis-server'),
      ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'],
      { stdio: 'ignore' },
    );
  });

  after(async () => {
    for (const limiters of started) limiters.stop();
    if (redis.exitCode !== null || redis.signalCode !== null) return;
    redis.kill('SIGCONT');
    redis.kill('SIGKILL');
    await once(redis, 'exit');
  });

  /** A proxy’s limiters, once they count over Redis: another one sees what they counted. */
  function replica(): Limiters {
    const limiters = createLimiters({ redisUrl, instance: 'test', logger: silentLogger });
    started.push(limiters);
    return limiters;
  }

  async function allowed(limiters: Limiters, key: string, requests: number): Promise<number> {
    let passed = 0;
    for (let at = 0; at < requests; at += 1) if ((await limiters.count(limit, key)).ok) passed += 1;
    return passed;
  }

  let one: Limiters;
  let two: Limiters;

  it('counts over all proxies', async () => {
    [one, two] = [replica(), replica()];
    let trial = 0;
    // Each by itself would let seven through. Where the machine is too busy for a command to come back in its time, a
    // proxy counts alone for two seconds: then another trial tells.
    await until('both proxies to count over Redis', async () => {
      trial += 1;
      const key = `trial-${trial}`;
      const passed = [await allowed(one, key, 7), await allowed(two, key, 7)];
      return passed.join() === '7,3' && !(await two.count(limit, key)).ok;
    });
  });

  it('counts token buckets over all proxies, and fills them again', async () => {
    const bucket = { requests: 1, windowMs: 3_600_000, burst: 10 };
    const quick = { requests: 20, windowMs: 1_000, burst: 2 };
    const taken = async (limiters: Limiters, of: typeof bucket, key: string, requests: number) => {
      const counts: Count[] = [];
      for (let at = 0; at < requests; at += 1) counts.push(await limiters.count(of, key));
      return counts.filter(({ ok }) => ok).length;
    };
    let trial = 0;
    await until('both proxies to count over Redis', async () => {
      trial += 1;
      const key = `bucket-${trial}`;
      const passed = [await taken(one, bucket, key, 7), await taken(two, bucket, key, 7)];
      const refused = await two.count(bucket, key);
      return passed.join() === '7,3' && !refused.ok && refused.retryAfterMs > 3_000_000;
    });
    await until('a bucket to be empty', async () => !(await one.count(quick, 'quick')).ok);
    await until('it to fill again', async () => (await two.count(quick, 'quick')).ok);
    // Two at once come out of it and no more, however long it has filled.
    expect((await two.count({ ...bucket, burst: 3 }, 'many', 4)).ok).to.equal(false);
    expect((await two.count({ ...bucket, burst: 3 }, 'many', 3)).ok).to.equal(true);
  });

  it('goes on by itself, without an error or a stall, while Redis hangs', async () => {
    redis.kill('SIGSTOP');
    const beganAt = performance.now();
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => one.count(limit, 'hanging')));
    // One after the other, so that waiting for Redis each time would add up.
    const later: Count[] = [];
    for (let at = 0; at < 200; at += 1) later.push(await one.count(limit, 'hanging'));
    const tookMs = performance.now() - beganAt;
    console.log(`    250 requests while Redis hangs: ${Math.round(tookMs)} ms in all`);
    expect([...outcomes, ...later].filter(({ ok }) => ok)).to.have.length(10);
    // One command timeout of 100 ms, once; a stall would be one for each request. The rest is a slow machine.
    expect(tookMs).to.be.lessThan(10_000);
    redis.kill('SIGCONT');
    await until('counts over Redis again', async () => {
      const key = `again-${performance.now()}`;
      return (await allowed(one, key, 7)) + (await allowed(two, key, 7)) === 10;
    });
  });

  it('goes on by itself when Redis is gone', async () => {
    redis.kill('SIGKILL');
    await once(redis, 'exit');
    expect(await allowed(one, 'gone', 12)).to.equal(10);
    expect(await allowed(two, 'gone', 12)).to.equal(10);
  });
});
