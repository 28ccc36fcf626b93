import { expect } from 'chai';
import { exchangeOf, outcomeOf, overTls, routeOf, type Sent } from '../../test/middleware-fixture.ts';
import { allowedMethods, deniedMethods, denyHttp, verifyClientSsl } from './access-rules.ts';
import { allowedAddresses } from './allowed-addresses.ts';
import { forwardedProtoRedirect, httpsOnly } from './https-redirect.ts';
import type { Middleware } from './middleware.ts';

const only = (...cidrs: string[]) => allowedAddresses(cidrs);
const from = (address: string): Sent => ({ client: { address } });
const behind = (scheme: 'http' | 'https'): Sent => ({ client: { trustedHop: true, scheme } });

const when = forwardedProtoRedirect('redirectWhenHttpProto', {});
const unless = forwardedProtoRedirect('redirectUnlessHttpsProto', {});
const redirecting = httpsOnly({ name: 'httpsOnly', status: 302, ports: {} });

describe('access rules', () => {
  const cases: readonly [string, Middleware, Sent, string][] = [
    ['an allowed method', allowedMethods(['GET']), {}, 'passes'],
    ['another method', allowedMethods(['GET']), { method: 'PUT' }, '403 method-denied'],
    ['HEAD is no GET', allowedMethods(['GET']), { method: 'HEAD' }, '403 method-denied'],
    ['a denied method', deniedMethods(['PUT']), { method: 'PUT' }, '403 method-denied'],
    ['a denied method in small letters', deniedMethods(['PUT']), { method: 'put' }, '403 method-denied'],
    ['an allowed method in small letters', allowedMethods(['PUT']), { method: 'put' }, '403 method-denied'],
    ['a method that is not denied', deniedMethods(['PUT']), { method: 'POST' }, 'passes'],
    ['denyHttp over http', denyHttp, {}, '403 http-denied'],
    ['denyHttp over TLS', denyHttp, { client: overTls }, 'passes'],
    ['denyHttp behind a TLS load balancer', denyHttp, behind('https'), 'passes'],
    ['denyHttp behind one that was reached by http', denyHttp, behind('http'), '403 http-denied'],
    ['a verified certificate', verifyClientSsl, { client: { certificateVerified: true } }, 'passes'],
    [
      'a certificate that another rule verified',
      verifyClientSsl,
      { client: { ...overTls, certificateVerified: true, misdirected: true } },
      '421 connection-misdirected',
    ],
    ['no certificate', verifyClientSsl, { client: overTls }, '403 client-certificate-required'],
    ['an address in a network', only('10.0.0.0/8', '192.0.2.0/24'), {}, 'passes'],
    ['an address in none', only('10.0.0.0/8'), {}, '403 address-denied'],
    ['IPv4 in IPv6 clothes', only('192.0.2.0/24'), from('::ffff:192.0.2.9'), 'passes'],
    ['an IPv6 network', only('2001:db8::/32'), from('2001:db8::9'), 'passes'],
    ['IPv4 is not in an IPv6 network', only('::/0'), {}, '403 address-denied'],
    ['no readable address', only('0.0.0.0/0', '::/0'), from(''), '403 address-denied'],
    ['a client that its hop does not name', only('0.0.0.0/0', '::/0'), from('unknown'), '403 address-denied'],
    ['a client that its hop hides', only('0.0.0.0/0', '::/0'), from('_hidden'), '403 address-denied'],
    ['an empty list', only(), {}, '403 address-denied'],
    ['httpsOnly over http', redirecting, {}, '302 https-required'],
    ['httpsOnly over TLS', redirecting, { client: overTls }, 'passes'],
    ['httpsOnly behind a TLS load balancer: no loop', redirecting, behind('https'), 'passes'],
    ['httpsOnly without a Host', redirecting, { host: '' }, '403 http-denied'],
    ['redirectWhenHttpProto, a trusted hop says http', when, behind('http'), '302 https-required'],
    ['redirectWhenHttpProto, the client itself says http', when, { headers: ['X-Forwarded-Proto', 'http'] }, 'passes'],
    ['redirectUnlessHttpsProto without X-Forwarded-Proto', unless, {}, '302 https-required'],
    [
      'redirectUnlessHttpsProto, the client itself says https',
      unless,
      { headers: ['X-Forwarded-Proto', 'https'] },
      '302 https-required',
    ],
    ['redirectUnlessHttpsProto, a trusted hop says https', unless, behind('https'), 'passes'],
  ];
  for (const [what, step, sent, outcome] of cases) {
    it(`${what}: ${outcome}`, async () => {
      expect(await outcomeOf([step], exchangeOf(routeOf(), sent))).to.equal(outcome);
    });
  }
});
