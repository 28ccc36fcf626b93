import { expect } from 'chai';
import { readTraefikArgs } from './traefik-args.ts';

const web = '--entrypoints.web';
const secure = '--entrypoints.websecure';
const both = [`${web}.address=:80`, `${secure}.address=:443`];

describe('flags of trusted addresses', () => {
  // [what they say, flags, settings of the proxy, what the warnings say]
  const cases: readonly (readonly [string, readonly string[], readonly string[], readonly RegExp[]])[] = [
    [
      'one entrypoint, and no other',
      [`${web}.address=:80`, `${web}.forwardedHeaders.trustedIPs=10.0.0.0/8,192.168.1.7`],
      ['TRUSTED_PROXIES=10.0.0.0/8,192.168.1.7'],
      [],
    ],
    [
      'the same at every entrypoint',
      [...both, `${web}.forwardedheaders.trustedips=10.0.0.0/8`, `${secure}.forwardedheaders.trustedips=10.0.0.0/8`],
      ['TRUSTED_PROXIES=10.0.0.0/8'],
      [],
    ],
    [
      'different ones: one list, and a warning of what is wider',
      [...both, `${web}.forwardedheaders.trustedips=10.0.0.0/8`, `${secure}.forwardedheaders.trustedips=172.16.0.0/12`],
      ['TRUSTED_PROXIES=10.0.0.0/8,172.16.0.0/12'],
      [/every entrypoint, and Traefik trusts fewer at web, websecure/],
    ],
    [
      'one entrypoint of two',
      [...both, `${secure}.forwardedheaders.trustedips=10.0.0.0/8`],
      ['TRUSTED_PROXIES=10.0.0.0/8'],
      [/trusts fewer at web$/],
    ],
    [
      'one entrypoint of two that have no address',
      [`${web}.http.redirections.entrypoint.to=websecure`, `${secure}.forwardedheaders.trustedips=10.0.0.0/8`],
      ['TRUSTED_PROXIES=10.0.0.0/8'],
      [/trusts fewer at web$/],
    ],
    [
      'PROXY headers',
      [`${secure}.address=:8443`, `${secure}.proxyProtocol.trustedIPs=10.0.0.1`],
      ['TRUSTED_PROXIES=10.0.0.1', 'PROXY_PROTOCOL_PORTS=8443'],
      [/with and without a PROXY header/],
    ],
    [
      'every client',
      [`${web}.address=:80`, `${web}.forwardedHeaders.insecure=true`],
      ['TRUSTED_PROXIES=0.0.0.0/0,::/0'],
      [/every client can then pass for any other/],
    ],
    [
      'every client by PROXY headers',
      [`${web}.address=:80`, `${web}.proxyProtocol.insecure`],
      ['TRUSTED_PROXIES=0.0.0.0/0,::/0', 'PROXY_PROTOCOL_PORTS=80'],
      [/every client can then/, /with and without/],
    ],
    ['no client', [`${web}.forwardedHeaders.insecure=false`, `${web}.proxyProtocol.insecure=0`], [], []],
    [
      'items of a list',
      [`${web}.forwardedHeaders.trustedIPs[0]=10.0.0.1`, `${web}.forwardedHeaders.trustedIPs[1]=10.0.0.2`],
      ['TRUSTED_PROXIES=10.0.0.1,10.0.0.2'],
      [],
    ],
    [
      'the environment',
      ['TRAEFIK_ENTRYPOINTS_WEB_FORWARDEDHEADERS_TRUSTEDIPS=10.0.0.1'],
      ['TRUSTED_PROXIES=10.0.0.1'],
      [],
    ],
  ];
  for (const [what, flags, expected, remarks] of cases)
    it(`are printed as settings: ${what}`, () => {
      const { settings, problems } = readTraefikArgs(flags);
      const ofProxy = settings.filter(({ of }) => of === 'proxy').map(({ setting }) => setting);
      expect(ofProxy).to.deep.equal(expected);
      expect(problems.map(({ severity, reason }) => [severity, reason])).to.deep.equal(
        remarks.map(() => ['warning', 'traefik-flag-differs']),
      );
      for (const [at, remark] of remarks.entries()) expect(problems[at]?.message).to.match(remark);
    });
});
