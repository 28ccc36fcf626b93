import { expect } from 'chai';
import { dnsProviders, readCredentials, readTsig } from './dns-providers.ts';

describe('which provider writes the records of a name', () => {
  const credentials = JSON.stringify([
    { provider: 'cloudflare', domains: ['example.com'], token: 'one' },
    {
      provider: 'rfc2136',
      domains: ['deep.example.com', 'example.org'],
      server: 'ns.deep.example',
      tsig: 'k:c2VjcmV0',
    },
    { provider: 'webhook', domains: ['hook.example'], url: 'https://jane:secret@dns.internal/hook' },
  ]);
  const cases = [
    ['example.com', 'Cloudflare'],
    ['shop.example.com', 'Cloudflare'],
    ['*.example.com', 'Cloudflare'],
    ['deep.example.com', 'RFC 2136 at ns.deep.example'],
    ['a.b.deep.example.com', 'RFC 2136 at ns.deep.example'],
    ['*.deep.example.com', 'RFC 2136 at ns.deep.example'],
    ['shallow-deep.example.com', 'Cloudflare'],
    ['www.hook.example', 'webhook https://dns.internal/hook'],
    ['notexample.com', undefined],
    ['com', undefined],
  ] as const;
  for (const [name, description] of cases)
    it(`is ${description ?? 'none'} for ${name}`, () => {
      expect(dnsProviders({ credentials }).for(name)?.description).to.equal(description);
    });

  it('is the one for all where no domain fits, which one of a domain goes before', () => {
    const providers = dnsProviders({ credentials, webhook: 'https://all.internal/' });
    expect(providers.for('notexample.com')?.description).to.equal('webhook https://all.internal');
    expect(providers.for('example.com')?.description).to.equal('Cloudflare');
  });

  it('never shows a credential', () => {
    const shown = cases.map(([name]) => dnsProviders({ credentials }).for(name)?.description).join(' ');
    expect(shown).to.not.match(/one|c2VjcmV0|secret|jane/);
  });

  const refused = [
    '',
    '{}',
    '[{}]',
    '[{"provider":"cloudflare","domains":[],"token":"x"}]',
    '[{"provider":"rfc2136","domains":["a"],"server":"s","tsig":"x"}]',
  ];
  for (const json of refused)
    it(`is unknown where the credentials are ${json === '' ? 'empty' : json}`, () => {
      expect(readCredentials(json)).to.equal(undefined);
    });

  const keys = [
    ['key.example.:c2VjcmV0', 'key.example hmac-sha256'],
    ['HMAC-SHA512:key:c2VjcmV0', 'key hmac-sha512'],
    ['hmac-md5:key:c2VjcmV0', undefined],
    ['key', undefined],
    [':c2VjcmV0', undefined],
    ['a:hmac-sha256:key:c2VjcmV0', undefined],
  ] as const;
  for (const [text, expected] of keys)
    it(`signs with ${expected ?? 'nothing'} for ${text}`, () => {
      const key = readTsig(text);
      expect(key && `${key.name} ${key.algorithm}`).to.equal(expected);
    });
});
