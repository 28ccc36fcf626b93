import { expect } from 'chai';
import { objectionTo } from './objections.ts';

describe('objections to a name', () => {
  for (const [name, reason] of [
    ['shop.example.com', undefined],
    ['a-b.example.com', undefined],
    ['-a.example.com', 'acme-malformed'],
    ['a-.example.com', 'acme-malformed'],
    ['a_b.example.com', 'acme-malformed'],
    [`${'a'.repeat(64)}.example.com`, 'acme-malformed'],
    ['a..example.com', 'acme-malformed'],
    ['10.1.2', 'acme-malformed'],
    ['10.1.2.3', 'acme-private-address'],
    ['shop', 'acme-single-label'],
    ['app.localhost', 'acme-localhost'],
    ['shop.internal', 'acme-not-public'],
    ['*.example.com', 'acme-wildcard-without-dns'],
  ] as const)
    it(`${name}: ${reason ?? 'none'}`, () => {
      expect(objectionTo(name, { dns: false, publicCa: true })?.reason).to.equal(reason);
    });

  it('are fewer for a CA of one’s own, and with access to DNS', () => {
    expect(objectionTo('shop.internal', { dns: false, publicCa: false })).to.equal(undefined);
    expect(objectionTo('*.example.com', { dns: true, publicCa: true })).to.equal(undefined);
  });
});
