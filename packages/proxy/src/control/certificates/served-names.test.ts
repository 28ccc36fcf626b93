import type { Destination, ServiceDefinition } from '@swarmgate/registry';
import { expect } from 'chai';
import type { Route } from '../../model/route.ts';
import { servedNames } from './served-names.ts';

const route = (destination: Partial<Destination>, changed: Partial<Route> = {}, service: object = {}): Route => ({
  id: 'swarm/web/0',
  key: 'swarm/web',
  definition: { service: 'web', owner: 'swarm', ...service } as unknown as ServiceDefinition,
  destination: { index: 0, since: 0, port: 8080, ...destination },
  upstreamPort: 8080,
  upstreamSecure: false,
  ...changed,
});
const namesOf = (routes: readonly Route[], securePorts: readonly number[] = [443]) =>
  servedNames(routes, { securePorts, serviceDomainAlgo: undefined }).flatMap(({ names }) => names);

describe('the names that are served over TLS', () => {
  const cases = [
    [
      'exact hosts and wildcards',
      [route({ serviceDomain: ['a.example', '*.b.example'] })],
      ['a.example', '*.b.example'],
    ],
    [
      'hosts in normal form',
      [route({ serviceDomain: ['A.example.', 'bücher.example'] })],
      ['a.example', 'xn--bcher-kva.example'],
    ],
    ['no fragments', [route({ serviceDomain: ['*shop.example', '*'] })], []],
    ['nothing of a route for all hosts', [route({ servicePath: ['/api'] })], []],
    ['nothing of a relay', [route({ serviceDomain: ['a.example'], reqMode: 'sni' })], []],
    ['nothing of a route on a plain port', [route({ serviceDomain: ['a.example'], srcPort: 80 })], []],
    ['a route on the TLS port', [route({ serviceDomain: ['a.example'], srcPort: 443 })], ['a.example']],
    ['nothing of the plain half of httpsPort', [route({ serviceDomain: ['a.example'], httpsPort: 8443 })], []],
    [
      'the other half',
      [route({ serviceDomain: ['a.example'], httpsPort: 8443 }, { id: 'swarm/web/0:https' })],
      ['a.example'],
    ],
    [
      'hosts that are redirected',
      [
        route(
          { serviceDomain: ['a.example'], redirectFromDomain: ['www.a.example'] },
          { id: 'swarm/web/0:redirect', redirectToHost: 'a.example' },
        ),
      ],
      ['www.a.example'],
    ],
    [
      'each name once',
      [route({ serviceDomain: ['a.example'] }), route({ serviceDomain: ['a.example'] })],
      ['a.example'],
    ],
  ] as const;
  for (const [what, routes, names] of cases) it(`are ${what}`, () => expect(namesOf(routes)).to.deep.equal(names));

  it('are none where no port ends TLS', () => {
    expect(namesOf([route({ serviceDomain: ['a.example'] })], [])).to.deep.equal([]);
  });

  it('are none of a service that is matched by parts of the host', () => {
    const partial = route({ serviceDomain: ['shop'] }, {}, { serviceDomainAlgo: 'hdr_beg(host)' });
    expect(namesOf([partial])).to.deep.equal([]);
  });

  it('are those of acmeDomains instead of the hosts, of tls services too', () => {
    const labels = { acmeDomains: ['*.shop.example', 'Shop.example'] };
    expect(namesOf([route({ serviceDomain: ['a.shop.example'] }, {}, labels)])).to.deep.equal([
      '*.shop.example',
      'shop.example',
    ]);
    const tls = { reqMode: 'tls', entryPorts: ['ssl'], serviceDomain: ['db.example'] } as const;
    expect(namesOf([route(tls)])).to.deep.equal(['db.example']);
    expect(namesOf([route({ ...tls, reqMode: 'sni' })])).to.deep.equal([]);
  });

  it('come with the values of the labels', () => {
    const labels = { acme: false, acmeChallenge: 'dns-01', acmeProfile: 'shortlived' };
    const [found] = servedNames([route({ serviceDomain: ['a.example'] }, {}, labels)], {
      securePorts: [443],
      serviceDomainAlgo: undefined,
    });
    expect(found).to.deep.equal({
      key: 'swarm/web',
      names: ['a.example'],
      acme: false,
      challenge: 'dns-01',
      profile: 'shortlived',
    });
  });
});
