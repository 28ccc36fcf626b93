import { expect } from 'chai';
import { type Labels, service, translated } from '../../test/traefik-services.ts';

const labelsOf = (more: Labels): Labels => ({
  'traefik.tcp.routers.mail.rule': 'HostSNI(`*`)',
  'traefik.tcp.routers.mail.entrypoints': 'db',
  'traefik.tcp.services.mail.loadbalancer.server.port': '25',
  ...Object.fromEntries(
    Object.entries(more).map(([key, value]) => [`traefik.tcp.services.mail.loadbalancer.${key}`, value]),
  ),
});
const of = (more: Labels) => translated([service('mail', labelsOf(more))]).get('mail');

describe('a TCP service of Traefik', () => {
  // [options, version of the PROXY header that it gets]
  const headers = [
    [{}, undefined],
    [{ 'proxyprotocol.version': '1' }, 'v1'],
    [{ 'proxyProtocol.version': ' 2 ' }, 'v2'],
    [{ proxyprotocol: 'true' }, 'v2'],
    [{ proxyprotocol: 'true', 'proxyprotocol.version': '1' }, 'v1'],
    [{ proxyprotocol: 'false' }, undefined],
  ] as const;
  for (const [options, version] of headers)
    it(`with ${JSON.stringify(options)} gets ${version === undefined ? 'no PROXY header' : `one of ${version}`}`, () => {
      const { destinations = [], problems } = of(options) ?? {};
      expect(problems).to.deep.equal([]);
      expect(destinations.map(({ reqMode, port, sendProxyHeader }) => [reqMode, port, sendProxyHeader])).to.deep.equal([
        ['tcp', 25, version],
      ]);
    });

  // Without the header, or in plain text, a service would take all clients for the proxy, or for one that it may trust.
  for (const [options, reason] of [
    [{ 'proxyprotocol.version': '3' }, 'label-value-invalid'],
    [{ 'proxyprotocol.version': '' }, 'label-value-invalid'],
    [{ 'server.tls': 'true' }, 'tcp-router-unsupported'],
  ] as const)
    it(`with ${JSON.stringify(options)} is not served`, () => {
      const { destinations, problems = [] } = of(options) ?? {};
      expect(destinations).to.deep.equal([]);
      expect(problems.map((problem) => problem.reason)).to.deep.equal([reason]);
    });

  it('is served with server.tls=false', () => {
    expect(of({ 'server.tls': 'false' })?.destinations).to.have.length(1);
  });
});
