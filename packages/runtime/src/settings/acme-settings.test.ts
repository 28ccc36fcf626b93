import { expect } from 'chai';
import { readSettings } from './read-settings.ts';

const read = (env: Readonly<Record<string, string>>) => () =>
  readSettings('proxy', { env, secretsDir: '/nonexistent/secrets' });

describe('settings of automatic certificates', () => {
  const credentials = (...entries: readonly object[]) => ({ ACME_DNS_CREDENTIALS: JSON.stringify(entries) });
  const domains = ['example.com'];
  const wrong = [
    [{ ACME_DIRECTORY: 'lets' }, /letsencrypt, letsencrypt-staging, zerossl, google or https.*not "lets"/],
    [{ ACME_DIRECTORY: 'google,google' }, /each once, not "google"/],
    [{ ACME_DIRECTORY: 'http://ca.internal/' }, /not "http:\/\/ca\.internal\/"/],
    ...['foo*bar', '*', '*.*.example.com', 'https://a.example', 'a.example:443', 'a.example/x', '.example.com'].map(
      (each) =>
        [
          { ACME_DOMAINS: `example.com,${each}` },
          new RegExp(`not ${JSON.stringify(each).replaceAll(/[.*]/g, '\\$&')}`),
        ] as const,
    ),
    [credentials({ provider: 'route53', domains }), /rfc2136, webhook, cloudflare, not "route53", in entry 1/],
    [credentials({ domains }), /not none, in entry 1/],
    [
      credentials({ provider: 'cloudflare', domains, token: 'x' }, { provider: 'cloudflare', domains: [], token: 'x' }),
      /domains.* for cloudflare in entry 2/,
    ],
    [credentials({ provider: 'cloudflare', domains }), /token for cloudflare/],
    [credentials({ provider: 'webhook', domains, url: 'x' }), /url for webhook/],
    [credentials({ provider: 'rfc2136', domains, server: 'a', tsig: 'secret' }), /server.*tsig for rfc2136/],
    [{ ACME_DNS_CREDENTIALS: '{' }, /a JSON list/],
  ] as const;
  for (const [env, message] of wrong)
    it(`name what is wrong: ${JSON.stringify(env)}`, () => {
      expect(read(env)).to.throw(message);
    });

  it('name all of it at once, and no secret', () => {
    const env = {
      ACME_DIRECTORY: 'lets',
      ACME_DOMAINS: 'foo*bar',
      ...credentials({ provider: 'x', domains, token: 'hidden' }),
    };
    expect(read(env))
      .to.throw()
      .with.property('message')
      .that.matches(/ACME_DIRECTORY=[\s\S]*ACME_DOMAINS=[\s\S]*ACME_DNS_CREDENTIALS=\(secret\)/)
      .and.not.includes('hidden');
  });

  it('take what the page shows', () => {
    for (const env of [
      { ACME_DOMAINS: 'example.com, *.example.com, EXAMPLE.org., 192.0.2.7, 2001:db8::1, bücher.example' },
      { ACME_DIRECTORY: 'letsencrypt,zerossl,google,https://ca.internal/acme/acme/directory' },
      credentials(
        { provider: 'cloudflare', domains, token: '…' },
        { provider: 'rfc2136', domains, server: 'ns1.example.org:53', tsig: 'key:AAAA' },
        { provider: 'webhook', domains, url: 'https://user:password@dns.internal/' },
      ),
    ])
      expect(read(env), JSON.stringify(env)).to.not.throw();
  });
});
