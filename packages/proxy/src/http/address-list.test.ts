import { expect } from 'chai';
import { addressList } from './address-list.ts';

describe('an address list', () => {
  const cases = [
    [['10.0.0.0/8'], '10.1.2.3', true],
    [['10.0.0.0/8'], '11.0.0.1', false],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['0.0.0.0/0'], '::1', false],
    [['10.0.0.7'], '10.0.0.7', true],
    [['10.0.0.7'], '10.0.0.8', false],
    [['2001:db8::/32'], '2001:db8:1::1', true],
    [['::1'], '0:0:0:0:0:0:0:1', true],
    [['::/0'], '10.0.0.1', false],
    [['everyone', '10.0.0.0/33', '10.0.0.7'], '10.0.0.7', true],
    [['everyone'], '10.0.0.7', false],
    [[], '10.0.0.7', false],
    [['10.0.0.0/8'], '10.1', false],
    [['0.0.0.0/0'], 'shop.example', false],
  ] as const;
  for (const [list, address, included] of cases)
    it(`[${list.join(', ')}] ${included ? 'includes' : 'does not include'} ${address}`, () => {
      expect(addressList(list)(address)).to.equal(included);
    });
});
