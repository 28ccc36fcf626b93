import { expect } from 'chai';
import { externalAccounts } from './acme-directories.ts';
import { openSettings } from './read-settings.ts';

const url = 'https://ca.internal/acme/directory';
const consul = { CONSUL_HTTP_ADDR: 'http://127.0.0.1:8500' };
const key = { SECRETS_KEY: Buffer.alloc(32, 7).toString('base64') };

describe('settings that certificates lack', () => {
  const reported = (env: Readonly<Record<string, string>>): readonly string[] => {
    try {
      openSettings('proxy', { env: { DATA_DIR: '/', ...env }, secretsDir: '/nonexistent/secrets' });
      return [];
    } catch (error) {
      return (error as Error).message.split('\n').slice(1);
    }
  };

  const cases = [
    ['nothing without ACME_DIRECTORY', consul, []],
    ['nothing where all is there', { ...consul, ...key, ACME_DIRECTORY: 'letsencrypt' }, []],
    [
      'the key of secrets for what is imported',
      { ...consul, ACME_DIRECTORY: 'import' },
      [/ACME_DIRECTORY=import: .*SECRETS_KEY/],
    ],
    [
      'no access to DNS for what is imported',
      { ...consul, ...key, ACME_DIRECTORY: 'import', ACME_CHALLENGE: 'dns-01' },
      [],
    ],
    [
      'the key of secrets',
      { ...consul, ACME_DIRECTORY: 'letsencrypt' },
      [/^ *ACME_DIRECTORY=letsencrypt: .*SECRETS_KEY/],
    ],
    [
      'an external account, whole',
      { ...consul, ...key, ACME_DIRECTORY: 'zerossl' },
      [/ACME_DIRECTORY=zerossl: expected ACME_EAB_KID and ACME_EAB_HMAC/],
    ],
    [
      'an external account, half',
      { ...consul, ...key, ACME_DIRECTORY: url, ACME_EAB_HMAC: 'x' },
      [/ACME_DIRECTORY=https:\/\/ca.internal\/acme\/directory: expected ACME_EAB_KID to be set/],
    ],
    [
      'an account of each issuer',
      { ...consul, ...key, ACME_DIRECTORY: 'zerossl,google', ACME_EAB_KID: 'zerossl=1', ACME_EAB_HMAC: 'zerossl=2' },
      [/ACME_DIRECTORY=google: expected ACME_EAB_KID and ACME_EAB_HMAC/],
    ],
    [
      'access to the DNS',
      { ...consul, ...key, ACME_DIRECTORY: 'letsencrypt', ACME_CHALLENGE: 'dns-01' },
      [/ACME_CHALLENGE=dns-01: expected one of ACME_DNS_SERVER, ACME_DNS_WEBHOOK/],
    ],
    [
      'no access to the DNS beside http-01',
      {
        ...consul,
        ...key,
        ACME_DIRECTORY: 'google',
        ACME_EAB_KID: '1',
        ACME_EAB_HMAC: '2',
        ACME_CHALLENGE: 'http-01,dns-01',
      },
      [],
    ],
    [
      'the server of a key',
      { ...consul, ...key, ACME_DIRECTORY: 'letsencrypt', ACME_DNS_TSIG: 'name:c2VjcmV0' },
      [/ACME_DNS_TSIG=\(secret\): expected ACME_DNS_SERVER/],
    ],
    [
      'everything at once',
      { ...consul, ACME_DIRECTORY: 'zerossl,google', ACME_CHALLENGE: 'dns-01', ACME_CA_FILE: '/nonexistent/ca.pem' },
      [/ACME_CA_FILE/, /ACME_DIRECTORY=zerossl:/, /ACME_DIRECTORY=google:/, /SECRETS_KEY/, /ACME_CHALLENGE/],
    ],
  ] as const;
  for (const [what, env, patterns] of cases)
    it(`are reported at the start: ${what}`, () => {
      const lines = reported(env);
      expect(lines, lines.join('\n')).to.have.length(patterns.length);
      for (const [at, pattern] of patterns.entries()) expect(lines[at]).to.match(pattern);
    });

  it('are not reported to a listener', () => {
    const env = { ...consul, DATA_DIR: '/', ACME_DIRECTORY: 'zerossl' };
    expect(() => openSettings('listener', { env, secretsDir: '/nonexistent/secrets' })).to.not.throw();
  });
});

describe('external accounts', () => {
  const of = (acmeDirectory: readonly string[], acmeEabKid: string, acmeEabHmac: string) =>
    Object.fromEntries(externalAccounts({ acmeDirectory, acmeEabKid, acmeEabHmac }).accounts);

  it('are of one value for all that bind accounts, and of none that does not', () => {
    expect(of(['letsencrypt', 'zerossl', url], 'k', 'h')).to.deep.equal({
      zerossl: { kid: 'k', hmac: 'h' },
      [url]: { kid: 'k', hmac: 'h' },
    });
  });

  it('are named by what is written, or by the known name of a URL', () => {
    const zero = 'https://acme.zerossl.com/v2/DV90';
    expect(of([zero, url], `zerossl=1,${url}=2`, `${zero}=AAA=,${url}=BBB=`)).to.deep.equal({
      [zero]: { kid: '1', hmac: 'AAA=' },
      [url]: { kid: '2', hmac: 'BBB=' },
    });
  });
});
