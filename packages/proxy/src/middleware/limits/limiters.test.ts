import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { createLimiters } from './limiters.ts';

describe('the counting of this process', () => {
  const once = { requests: 1, windowMs: 3_600_000 };
  const counting = (mostKeys: number) =>
    createLimiters({ redisUrl: undefined, instance: 'x', logger: silentLogger, mostKeys });

  it('keeps so many keys at most, and drops the one unused longest', async () => {
    const limiters = counting(3);
    const passes = async (key: string) => (await limiters.count(once, key)).ok;
    for (const key of ['quiet', 'busy', 'third']) expect(await passes(key)).to.equal(true);
    for (const fresh of ['a', 'b', 'c', 'd']) {
      // An active key is kept although other clients send new keys all the time.
      expect(await passes('busy'), fresh).to.equal(false);
      expect(await passes(fresh)).to.equal(true);
    }
    expect(await passes('quiet')).to.equal(true);
  });

  it('distinguishes equal keys of different limits', async () => {
    const limiters = counting(10);
    const twice = { ...once, requests: 2 };
    expect((await limiters.count(once, 'k')).ok).to.equal(true);
    expect((await limiters.count(twice, 'k')).ok).to.equal(true);
    expect((await limiters.count(once, 'k')).ok).to.equal(false);
    expect((await limiters.count(twice, 'k')).ok).to.equal(true);
  });
});
