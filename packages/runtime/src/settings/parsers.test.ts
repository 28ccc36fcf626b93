import { expect } from 'chai';
import {
  bearerToken,
  boolean,
  entrypoints,
  integer,
  list,
  networks,
  ownerName,
  portMapping,
  ports,
  secretsKeys,
} from './parsers.ts';

describe('parsers of settings', () => {
  const booleans = [
    ['1', true],
    ['t', true],
    ['TRUE', true],
    ['0', false],
    ['False', false],
    ['yes', undefined],
    ['', undefined],
    ['tRUE', undefined],
  ] as const;
  for (const [text, value] of booleans) {
    it(`takes ${JSON.stringify(text)} for ${value ?? 'no boolean'}, as Go does`, () => {
      const parsed = boolean(text);
      expect(parsed.ok ? parsed.value : undefined).to.equal(value);
    });
  }

  it('reads entrypoints with and without TLS, each port once', () => {
    expect(entrypoints('80, 443:ssl')).to.deep.equal({
      ok: true,
      value: [
        { port: 80, secure: false },
        { port: 443, secure: true },
      ],
    });
    for (const wrong of ['80:tls', '0', '65536', '80,80:ssl', 'http'])
      expect(entrypoints(wrong).ok, wrong).to.equal(false);
  });

  it('reads lists of ports', () => {
    expect(ports('80, 443')).to.deep.equal({ ok: true, value: [80, 443] });
    expect(ports('')).to.deep.equal({ ok: true, value: [] });
    for (const wrong of ['0', '80:ssl', '65536', 'http']) expect(ports(wrong).ok, wrong).to.equal(false);
  });

  it('reads pairs of ports, each entry port once', () => {
    const parsed = portMapping('8080:80, 8443:443');
    expect(parsed.ok && [...parsed.value]).to.deep.equal([
      [8080, 80],
      [8443, 443],
    ]);
    expect(portMapping('').ok).to.equal(true);
    for (const wrong of ['443', '8443:', '0:443', '8443:65536', '1:2,1:3', '8443:443:ssl', 'a:b'])
      expect(portMapping(wrong).ok, wrong).to.equal(false);
  });

  it('keeps whole numbers in their range', () => {
    expect(integer(0, 10)('10')).to.deep.equal({ ok: true, value: 10 });
    for (const wrong of ['11', '-1', '1.5', '1e1', ' 1', '']) expect(integer(0, 10)(wrong).ok, wrong).to.equal(false);
  });

  it('takes addresses and CIDRs for networks, and nothing else', () => {
    expect(networks('10.0.0.0/8, 2001:db8::/32,127.0.0.1')).to.deep.equal({
      ok: true,
      value: ['10.0.0.0/8', '2001:db8::/32', '127.0.0.1'],
    });
    expect(networks('')).to.deep.equal({ ok: true, value: [] });
    for (const wrong of ['10.0.0.0/33', '::1/129', '10.0.0', 'proxy.example', '10.0.0.0/8/8', '10.0.0.0/'])
      expect(networks(wrong).ok, wrong).to.equal(false);
  });

  it('takes tokens that a header can carry, and no other', () => {
    for (const token of ['none', 's3cret', 'with space', '~!@#$%^&*()'])
      expect(bearerToken(token), token).to.deep.equal({ ok: true, value: token });
    for (const wrong of [' ', ' x', 'x ', 'x\n', 'schlüssel', 'a\tb'])
      expect(bearerToken(wrong).ok, wrong).to.equal(false);
  });

  it('takes one key, or two during a rotation, and no third', () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    for (const keys of [[key], [key, key]]) expect(secretsKeys(keys.join(',')).ok).to.equal(true);
    expect(secretsKeys([key, key, key].join(',')).ok).to.equal(false);
    expect(secretsKeys(`${key},c2hvcnQ=`).ok).to.equal(false);
  });

  it('trims the parts of a list and drops empty ones', () => {
    expect(list(' a, b ,,c ')).to.deep.equal({ ok: true, value: ['a', 'b', 'c'] });
  });

  it('refuses owners that cannot stand in a key, and reserved ones', () => {
    for (const wrong of ['manual', 'sample', 'env', '-a', 'a/b', ''])
      expect(ownerName(wrong).ok, wrong).to.equal(false);
    expect(ownerName('swarm-2').ok).to.equal(true);
  });
});
