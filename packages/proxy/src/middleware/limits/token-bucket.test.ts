import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { exchangeOf, outcomeOf, responseOf, routeOf } from '../../../test/middleware-fixture.ts';
import { createLimiters } from './limiters.ts';
import { tokenBucket } from './token-bucket.ts';

const use = { kind: 'rateLimit', average: 1, periodMs: 3_600_000, burst: 2 } as const;
const limited = '429 rate-limited';

describe('a token bucket', () => {
  it('lets a burst pass, fills by its average, and returns when to retry', async () => {
    let nowMs = 0;
    const step = tokenBucket({ ...use, average: 2, periodMs: 10_000 }, { workers: 0, nowMs: () => nowMs });
    const send = () => outcomeOf([step], exchangeOf(routeOf()));
    expect([await send(), await send(), await send()]).to.deep.equal(['passes', 'passes', limited]);
    expect((await responseOf([step], exchangeOf(routeOf())))?.headers).to.deep.equal(['Retry-After', '5']);
    nowMs = 5_000;
    expect([await send(), await send()]).to.deep.equal(['passes', limited]);
  });

  it('is shared by all who count with the same limiters, and by nothing else', async () => {
    const limiters = createLimiters({ redisUrl: undefined, instance: 'x', logger: silentLogger });
    const bucket = (scope: string) => tokenBucket(use, { workers: 0, shared: { limiters, scope } });
    const send = (scope: string) => outcomeOf([bucket(scope)], exchangeOf(routeOf()));
    expect([await send('a'), await send('a'), await send('a')]).to.deep.equal(['passes', 'passes', limited]);
    expect(await send('b')).to.equal('passes');
  });

  it('has its share in each of several workers', async () => {
    const step = tokenBucket({ ...use, burst: 4 }, { workers: 2 });
    const outcomes = [];
    for (let at = 0; at < 3; at += 1) outcomes.push(await outcomeOf([step], exchangeOf(routeOf())));
    expect(outcomes).to.deep.equal(['passes', 'passes', limited]);
  });
});
