import { expect } from 'chai';
import { FailedTries } from './failed-tries.ts';

describe('failed tries of credentials', () => {
  let nowMs: number;
  let tries: FailedTries;
  beforeEach(() => {
    nowMs = 1_000;
    tries = new FailedTries(() => nowMs);
  });
  const exhaust = (address: string | undefined) => {
    for (let count = 0; count < 10; count += 1) {
      expect(tries.waitMs(address)).to.equal(0);
      tries.failed(address);
    }
  };

  it('are ten of an address at once, and one more every six seconds', () => {
    exhaust('10.0.0.1');
    expect(tries.waitMs('10.0.0.1')).to.equal(6_000);
    expect(tries.waitMs('10.0.0.2')).to.equal(0);
    nowMs += 5_999;
    expect(tries.waitMs('10.0.0.1')).to.equal(1);
    nowMs += 1;
    expect(tries.waitMs('10.0.0.1')).to.equal(0);
    tries.failed('10.0.0.1');
    expect(tries.waitMs('10.0.0.1')).to.equal(6_000);
    nowMs += 60_000;
    exhaust('10.0.0.1');
  });

  for (const [one, other, another] of [
    ['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.2'],
    ['2001:db8::1', '2001:db8:0:0:ffff::2', '2001:db8:0:1::1'],
    ['2001:DB8::1', '2001:db8::ffff:ffff:ffff:ffff', '2001:db9::1'],
    ['fe80::1%eth0', 'fe80::2%eth1', 'fe80:0:0:1::1'],
    ['::1', '::2', '0:0:0:1::1'],
    ['1:2:3:4::', '1:2:3:4:5:6:7:8', '1:2:3:5::'],
    ['1::4:5:6:7:8', '1:0:0:4:9::', '1:0:0:5::'],
    [undefined, 'no address', '10.0.0.1'],
  ] as const)
    it(`count ${one} and ${other} as one client, and ${another} as another one`, () => {
      exhaust(one);
      expect(tries.waitMs(other)).to.equal(6_000);
      expect(tries.waitMs(another)).to.equal(0);
    });

  it('are forgotten of the address that failed longest ago where there are too many', () => {
    exhaust('10.255.0.1');
    for (let host = 0; host < 10_000; host += 1) tries.failed(`10.1.${host >> 8}.${host & 255}`);
    expect(tries.waitMs('10.255.0.1')).to.equal(0);
    tries.failed('10.255.0.2');
    for (let host = 0; host < 5_000; host += 1) tries.failed(`10.2.${host >> 8}.${host & 255}`);
    for (let count = 0; count < 10; count += 1) tries.failed('10.255.0.2');
    for (let host = 0; host < 9_999; host += 1) tries.failed(`10.3.${host >> 8}.${host & 255}`);
    expect(tries.waitMs('10.255.0.2')).to.be.at.least(6_000);
  });
});
