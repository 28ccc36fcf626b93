import { expect } from 'chai';
import { covers, isCovered, isPublicAddress, keyPartOf, nameKind, normalName } from './name-kind.ts';

describe('names of certificates', () => {
  for (const [name, kind, normal, key] of [
    ['Shop.Example.com.', 'dns', 'shop.example.com', 'shop.example.com'],
    ['*.Example.com', 'wildcard', '*.example.com', '_wildcard.example.com'],
    ['192.0.2.1', 'ip', '192.0.2.1', '192.0.2.1'],
    ['[2001:DB8:0::1]', 'ip', '2001:db8::1', '2001-db8--1'],
  ] as const)
    it(`${name} is ${normal}, a name of kind ${kind}, and ${key} in a key`, () => {
      expect([normalName(name), nameKind(normal), keyPartOf(normal)]).to.deep.equal([normal, kind, key]);
    });

  for (const [covering, name, isGood] of [
    ['a.example.com', 'a.example.com', true],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'a.b.example.com', false],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'aexample.com', false],
    ['*.example.com', '*.example.com', true],
    ['*.0.2.1', '192.0.2.1', false],
  ] as const)
    it(`a certificate for ${covering} is ${isGood ? '' : 'not '}good for ${name}`, () => {
      expect(covers(covering, name)).to.equal(isGood);
      expect(isCovered(name, new Set([covering]))).to.equal(isGood);
    });

  for (const [address, isPublic] of [
    ['8.8.8.8', true],
    ['10.1.2.3', false],
    ['100.64.0.1', false],
    ['100.128.0.1', true],
    ['169.254.1.1', false],
    ['2606:4700::1', true],
    ['fd00::1', false],
    ['::1', false],
    ['shop.example.com', false],
  ] as const)
    it(`${address} is ${isPublic ? '' : 'no '}public address`, () => {
      expect(isPublicAddress(address)).to.equal(isPublic);
    });
});
