import { expect } from 'chai';
import { normalizeHost } from './normal-host.ts';

describe('normalizeHost', () => {
  const accepted = [
    ['shop.example', 'shop.example', undefined],
    ['SHOP.Example', 'shop.example', undefined],
    ['shop.example:8080', 'shop.example', 8080],
    ['shop.example:', 'shop.example', undefined],
    ['shop.example.', 'shop.example', undefined],
    ['Shop.Example.:443', 'shop.example', 443],
    ['localhost', 'localhost', undefined],
    ['my_service', 'my_service', undefined],
    ['10.0.0.7:80', '10.0.0.7', 80],
    ['[::1]', '[::1]', undefined],
    ['[2001:DB8:0:0::1]:443', '[2001:db8::1]', 443],
  ] as const;
  for (const [raw, host, port] of accepted) {
    it(`${raw} is ${host}`, () => expect(normalizeHost(raw)).to.deep.equal({ ok: true, host, port }));
  }

  const refused = [
    '',
    '.',
    '.example',
    'a..b',
    'a.example..',
    ':80',
    'a:65536',
    'a:8o',
    'a:80:80',
    'a b',
    'a,b',
    'u@a',
    'a/b',
    'a%2eb',
    'ä.example',
    '[::1',
    '[::1]x',
    '[1.2.3.4]',
    '[fe80::1%25eth0]',
    '::1',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}example`,
  ];
  for (const raw of refused) {
    it(`${raw.slice(0, 30)} is refused`, () =>
      expect(normalizeHost(raw)).to.deep.equal({ ok: false, reason: 'host-invalid' }));
  }
});
