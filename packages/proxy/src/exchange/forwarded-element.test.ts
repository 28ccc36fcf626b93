import { expect } from 'chai';
import { forwardedElement } from './forwarded-element.ts';

describe('an element of Forwarded', () => {
  const cases = [
    ['10.0.0.7', 'shop.example', 'https', 'for=10.0.0.7;host=shop.example;proto=https'],
    ['10.0.0.7', 'shop.example:8443', 'https', 'for=10.0.0.7;host="shop.example:8443";proto=https'],
    // An address of IPv6 is quoted and bracketed (RFC 7239, section 6).
    ['2001:db8::7', '[2001:db8::1]', 'http', 'for="[2001:db8::7]";host="[2001:db8::1]";proto=http'],
    ['10.0.0.7', '', 'http', 'for=10.0.0.7;proto=http'],
    ['', 'shop.example', 'http', 'for=unknown;host=shop.example;proto=http'],
    ['10.0.0.7', 'a"b\\c', 'http', 'for=10.0.0.7;host="a\\"b\\\\c";proto=http'],
  ] as const;
  for (const [peer, host, scheme, element] of cases)
    it(`is ${element}`, () => expect(forwardedElement(peer, host, scheme)).to.equal(element));
});
