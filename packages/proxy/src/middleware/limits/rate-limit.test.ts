import type { RateLimit, RateLimitKey } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { exchangeOf, outcomeOf, responseOf, routeOf, type Sent } from '../../../test/middleware-fixture.ts';
import { createLimiters } from './limiters.ts';
import { rateLimit } from './rate-limit.ts';

const twoAnHour: RateLimit = { requests: 2, windowMs: 3_600_000 };
const byIp: RateLimitKey = { kind: 'ip' };

function requests(by: RateLimitKey, ...sent: Sent[]): Promise<string[]> {
  const limiters = createLimiters({ redisUrl: undefined, instance: 'x', logger: silentLogger });
  const step = rateLimit('swarm/go-demo', twoAnHour, by, limiters);
  return sent.reduce<Promise<string[]>>(
    async (before, each) => [...(await before), await outcomeOf([step], exchangeOf(routeOf(), each))],
    Promise.resolve([]),
  );
}
const from = (address: string, ...headers: string[]): Sent => ({ client: { address }, headers });
const limited = '429 rate-limited';

describe('rateLimit', () => {
  it('counts by address', async () => {
    const outcomes = await requests(byIp, from('192.0.2.1'), from('192.0.2.1'), from('192.0.2.1'), from('192.0.2.2'));
    expect(outcomes).to.deep.equal(['passes', 'passes', limited, 'passes']);
  });

  it('counts clients that their hop does not name apart from the hop itself', async () => {
    const hop = from('10.0.0.1');
    const outcomes = await requests(byIp, hop, hop, from('unknown'), from('unknown'), from('unknown'), from('_a'), hop);
    expect(outcomes).to.deep.equal(['passes', 'passes', 'passes', 'passes', limited, 'passes', limited]);
  });

  it('counts an IPv6 network as one client', async () => {
    const outcomes = await requests(
      byIp,
      from('2001:db8::1'),
      from('2001:db8::2'),
      from('2001:db8::3'),
      from('2001:db8:0:1::1'),
    );
    expect(outcomes).to.deep.equal(['passes', 'passes', limited, 'passes']);
  });

  it('counts by a header, and by address where it is missing', async () => {
    const key = (value: string) => from('192.0.2.1', 'X-Key', value);
    const by: RateLimitKey = { kind: 'header', name: 'x-key' };
    expect(
      await requests(
        by,
        key('a'),
        key('a'),
        key('a'),
        key('b'),
        from('192.0.2.1'),
        from('192.0.2.1'),
        from('192.0.2.1'),
      ),
    ).to.deep.equal(['passes', 'passes', limited, 'passes', 'passes', 'passes', limited]);
  });

  it('sends when to retry', async () => {
    const limiters = createLimiters({ redisUrl: undefined, instance: 'x', logger: silentLogger });
    const step = rateLimit('swarm/go-demo', { requests: 1, windowMs: 3_600_000 }, byIp, limiters);
    await responseOf([step], exchangeOf(routeOf()));
    const response = await responseOf([step], exchangeOf(routeOf()));
    const [name, seconds] = response?.headers ?? [];
    expect(name).to.equal('Retry-After');
    expect(Number(seconds)).to.be.within(3590, 3600);
  });

  it('counts every service for itself, over table swaps', async () => {
    const limiters = createLimiters({ redisUrl: undefined, instance: 'x', logger: silentLogger });
    const once = () => rateLimit('swarm/a', { requests: 1, windowMs: 3_600_000 }, byIp, limiters);
    const other = rateLimit('swarm/b', { requests: 1, windowMs: 3_600_000 }, byIp, limiters);
    expect(await outcomeOf([once()], exchangeOf(routeOf()))).to.equal('passes');
    expect(await outcomeOf([once()], exchangeOf(routeOf()))).to.equal(limited);
    expect(await outcomeOf([other], exchangeOf(routeOf()))).to.equal('passes');
  });
});
