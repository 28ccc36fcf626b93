import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { createLimiters, type Limiters } from '../../middleware/limits/limiters.ts';
import { createLeasedLimiters } from './leased-limiters.ts';
import type { Tokens } from './messages.ts';
import { batchOf, leaseTokens } from './rate-tokens.ts';

const anHourMs = 3_600_000;

function local(): Limiters {
  return createLimiters({ redisUrl: undefined, instance: 'x', logger: silentLogger });
}

/** Two workers of one proxy, and how often they called. */
function proxyOfTwo(now?: () => number) {
  const control = local();
  const requested = { times: 0 };
  const worker = () =>
    createLeasedLimiters({
      alone: local(),
      workers: 2,
      lease: (limit, key) => {
        requested.times += 1;
        return leaseTokens(control, limit, key, 2);
      },
      ...(now === undefined ? {} : { now }),
    });
  return { workers: [worker(), worker()] as const, requested };
}

async function allowed(limiters: Limiters, requests: number, limit: number, key = 'k'): Promise<number> {
  let passed = 0;
  for (let at = 0; at < requests; at += 1)
    if ((await limiters.count({ requests: limit, windowMs: anHourMs }, key)).ok) passed += 1;
  return passed;
}

describe('rate limits of several workers', () => {
  it('let pass exactly as many as a small limit says, whichever worker gets them', async () => {
    const { workers } = proxyOfTwo();
    let passed = 0;
    for (let at = 0; at < 20; at += 1) passed += await allowed(workers[at % 2 === 0 ? 0 : 1], 1, 7);
    expect(passed).to.equal(7);
  });

  it('never let pass more than a large limit says, and hardly less', async () => {
    const { workers } = proxyOfTwo();
    const passed = (await allowed(workers[0], 700, 1_000)) + (await allowed(workers[1], 700, 1_000));
    expect(passed).to.be.within(980, 1_000);
  });

  it('are requested in batches where the limit is large', async () => {
    const { workers, requested } = proxyOfTwo();
    await allowed(workers[0], 1_000, 10_000);
    expect(requested.times).to.be.lessThan(20);
  });

  it('send no request once the control process refused', async () => {
    const { workers, requested } = proxyOfTwo();
    await allowed(workers[0], 50, 2);
    expect(requested.times).to.equal(3);
  });

  it('count every key for itself', async () => {
    const { workers } = proxyOfTwo();
    expect(await allowed(workers[0], 3, 2, 'one')).to.equal(2);
    expect(await allowed(workers[0], 3, 2, 'other')).to.equal(2);
  });

  it('drop leases when their window ends', async () => {
    let nowMs = 0;
    const responses: Tokens[] = [
      { ok: true, count: 5, forMs: 1_000 },
      { ok: false, retryAfterMs: 1_000 },
      { ok: true, count: 1, forMs: 1_000 },
    ];
    const limiters = createLeasedLimiters({
      alone: local(),
      workers: 2,
      now: () => nowMs,
      lease: async () => responses.shift(),
    });
    expect(await allowed(limiters, 2, 500)).to.equal(2);
    nowMs = 1_500;
    expect(await allowed(limiters, 3, 500)).to.equal(0);
    nowMs = 2_600;
    expect(await allowed(limiters, 1, 500)).to.equal(1);
  });

  it('count a worker’s share alone while the control process does not respond', async () => {
    const limiters = createLeasedLimiters({ alone: local(), workers: 2, lease: async () => undefined });
    expect(await allowed(limiters, 20, 10)).to.equal(5);
  });
});

describe('a process without rate limits', () => {
  it('takes no memory for the clients that it could count: 2 MB for each of three tables', () => {
    const before = process.memoryUsage().heapUsed;
    const idle = Array.from({ length: 20 }, () =>
      createLeasedLimiters({ alone: local(), workers: 2, lease: async () => undefined }),
    );
    expect((process.memoryUsage().heapUsed - before) / idle.length / 2 ** 20).to.be.below(0.5);
  });
});

describe('batchOf', () => {
  const cases = [
    [99, 99, 2, 0], // small: exact
    [1_000, 1_000, 2, 20],
    [50, 1_000, 2, 6], // the nearer the end, the smaller
    [3, 1_000, 2, 0],
  ] as const;
  for (const [remaining, requests, workers, expected] of cases)
    it(`is ${expected} of ${remaining} left of ${requests}`, () => {
      expect(batchOf(remaining, requests, workers)).to.equal(expected);
    });
});
