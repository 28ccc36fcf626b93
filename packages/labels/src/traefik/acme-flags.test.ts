import { expect } from 'chai';
import { readTraefikArgs } from './traefik-args.ts';

const le = '--certificatesresolvers.le.acme';
const other = '--certificatesresolvers.other.acme';
const zerossl = 'https://acme.zerossl.com/v2/DV90';

describe('flags of certificate resolvers', () => {
  // [what they say, flags, settings of the proxy, what the warnings name]
  const cases: readonly (readonly [string, readonly string[], readonly string[], readonly RegExp[]])[] = [
    [
      'Let’s Encrypt without a server',
      [`${le}.email=ops@a.example`, `${le}.tlschallenge=true`, `${le}.storage=/acme.json`],
      ['ACME_DIRECTORY=letsencrypt', 'ACME_CHALLENGE=tls-alpn-01', 'ACME_EMAIL=ops@a.example'],
      [],
    ],
    [
      'a known directory by its URL',
      [`${le}.caServer=https://acme-staging-v02.api.letsencrypt.org/directory`, `${le}.httpchallenge.entrypoint=web`],
      ['ACME_DIRECTORY=letsencrypt-staging', 'ACME_CHALLENGE=http-01'],
      [],
    ],
    [
      'a directory of one’s own',
      [`${le}.caserver=https://ca.example/dir`, `${le}.httpchallenge=true`, `${le}.caCertificates=/ca.pem`],
      ['ACME_DIRECTORY=https://ca.example/dir', 'ACME_CHALLENGE=http-01', 'ACME_CA_FILE=/ca.pem'],
      [/mount the file/],
    ],
    [
      'two resolvers, as one list each',
      [
        `${le}.email=a@a.example`,
        `${le}.httpchallenge=true`,
        `${other}.caserver=${zerossl}`,
        `${other}.email=a@a.example`,
        `${other}.dnschallenge.provider=cloudflare`,
        `${other}.dnschallenge.resolvers=1.1.1.1:53,8.8.8.8:53`,
      ],
      [
        'ACME_DIRECTORY=letsencrypt,zerossl',
        'ACME_CHALLENGE=http-01,dns-01',
        'ACME_DNS_RESOLVERS=1.1.1.1:53,8.8.8.8:53',
        'ACME_EMAIL=a@a.example',
      ],
      [/ACME_CLOUDFLARE_TOKEN/],
    ],
    [
      'two contacts',
      [`${le}.email=a@a.example`, `${other}.email=b@b.example`],
      ['ACME_DIRECTORY=letsencrypt', 'ACME_EMAIL=a@a.example'],
      [/one for all issuers/],
    ],
    [
      'a provider that is not supported',
      [`${le}.dnschallenge.provider=ovh`],
      ['ACME_DIRECTORY=letsencrypt', 'ACME_CHALLENGE=dns-01'],
      [/dns-01 by ovh is not supported.*|httpreq/],
    ],
    [
      'a challenge that is off, and a profile',
      [`${le}.tlschallenge=false`, `${le}.httpchallenge=true`, `${le}.profile=shortlived`],
      ['ACME_DIRECTORY=letsencrypt', 'ACME_CHALLENGE=http-01', 'ACME_PROFILE=shortlived'],
      [],
    ],
    ['another authority', ['--certificatesresolvers.ts.tailscale=true'], [], [/Tailscale/]],
  ];
  for (const [what, flags, expected, remarks] of cases)
    it(`are printed as settings: ${what}`, () => {
      const { settings, problems } = readTraefikArgs(flags);
      expect(settings.map(({ of, setting }) => `${of} ${setting}`)).to.deep.equal(
        expected.map((each) => `proxy ${each}`),
      );
      expect(problems.map(({ severity }) => severity)).to.deep.equal(remarks.map(() => 'warning'));
      for (const [at, remark] of remarks.entries())
        expect(`${problems[at]?.message} ${problems[at]?.suggestion}`).to.match(remark);
    });

  it('are read of the environment alike', () => {
    const { settings } = readTraefikArgs([
      'TRAEFIK_CERTIFICATESRESOLVERS_LE_ACME_EMAIL=ops@a.example',
      'TRAEFIK_CERTIFICATESRESOLVERS_LE_ACME_DNSCHALLENGE_PROVIDER=cloudflare',
    ]);
    expect(settings.map(({ setting }) => setting)).to.deep.equal([
      'ACME_DIRECTORY=letsencrypt',
      'ACME_CHALLENGE=dns-01',
      'ACME_EMAIL=ops@a.example',
    ]);
  });

  it('show no secret of an external account', () => {
    const read = readTraefikArgs([
      `${le}.eab.kid=kid-17`,
      `${le}.eab.hmacEncoded=c2VjcmV0`,
      `${le}.caserver=${zerossl}`,
    ]);
    expect(read.settings.map(({ setting }) => setting)).to.deep.equal([
      'ACME_DIRECTORY=zerossl',
      'ACME_EAB_KID=<value of the flag>',
      'ACME_EAB_HMAC=<value of the flag>',
    ]);
    expect(JSON.stringify(read)).not.to.match(/kid-17|c2VjcmV0/);
  });
});
