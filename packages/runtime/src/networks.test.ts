import { expect } from 'chai';
import { parseNetwork, plainAddress } from './networks.ts';

describe('parseNetwork', () => {
  const cases = [
    ['10.0.0.0/8', { family: 4, address: '10.0.0.0', bits: 8 }],
    ['10.0.0.0/0', { family: 4, address: '10.0.0.0', bits: 0 }],
    ['192.168.1.7', { family: 4, address: '192.168.1.7', bits: 32 }],
    ['2001:db8::/32', { family: 6, address: '2001:db8::', bits: 32 }],
    ['::1', { family: 6, address: '::1', bits: 128 }],
    ['::1/128', { family: 6, address: '::1', bits: 128 }],
    ['10.0.0.0/33', undefined],
    ['::1/129', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/8/8', undefined],
    ['10.0.0.0/-1', undefined],
    ['10.0.0.0/+8', undefined],
    ['10.0.0/8', undefined],
    ['fe80::1%eth0', undefined],
    ['host/8', undefined],
    ['', undefined],
  ] as const;
  for (const [text, network] of cases) {
    it(`${JSON.stringify(text)} → ${JSON.stringify(network)}`, () => {
      expect(parseNetwork(text)).to.deep.equal(network);
    });
  }
});

describe('plainAddress', () => {
  it('is an IPv4 address on a socket of both families, too', () => {
    expect(plainAddress('::ffff:10.0.0.7')).to.equal('10.0.0.7');
    expect(plainAddress('::1')).to.equal('::1');
  });
});
