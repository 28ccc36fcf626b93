import { readSettings } from '@swarmgate/runtime';
import { expect } from 'chai';
import { exchangeOf, responseOf, routeOf } from '../../test/middleware-fixture.ts';
import { forwardedProtoRedirect, httpsOnly, securePortsOf } from './https-redirect.ts';

interface Situation {
  /** `DEFAULT_PORTS`. */
  readonly ports: string;
  /** `PUBLISHED_PORTS`. */
  readonly published?: string;
  /** As the client sent it. */
  readonly host?: string;
  /** X-Forwarded-Port of a trusted hop. */
  readonly forwardedPort?: number;
}

function locationsOf({ ports, published = '', host = 'shop.example', forwardedPort }: Situation) {
  const env = { DEFAULT_PORTS: ports, PUBLISHED_PORTS: published };
  const settings = readSettings('proxy', { env, secretsDir: '/nonexistent' });
  const secure = securePortsOf(settings.defaultPorts, settings.publishedPorts);
  const client = forwardedPort === undefined ? {} : { trustedHop: true, forwardedPort };
  const sent = { host: 'shop.example', path: '/a', query: '?b=c', headers: ['Host', host], client };
  const steps = [
    httpsOnly({ name: 'httpsOnly', status: 302, ports: secure }),
    forwardedProtoRedirect('redirectUnlessHttpsProto', secure),
  ];
  return Promise.all(steps.map(async (step) => (await responseOf([step], exchangeOf(routeOf(), sent)))?.headers?.[1]));
}

describe('a redirect to https', () => {
  const unprivileged = '8080,8443:ssl';
  const cases: readonly [string, Situation, string][] = [
    ['80 and 443', { ports: '80,443:ssl' }, ''],
    ['80 and 443, and a Host with a port', { ports: '80,443:ssl', host: 'shop.example:80' }, ''],
    ['ports that Docker publishes as 80 and 443', { ports: unprivileged }, ''],
    ['ports that are published as they are', { ports: unprivileged, host: 'shop.example:8080' }, ':8443'],
    ['a Host with a port, and none that ends TLS', { ports: '8080', host: 'shop.example:8080' }, ''],
    ['several that end TLS', { ports: '8080,9443:ssl,8443:ssl', host: 'shop.example:8080' }, ':9443'],
    ['several that end TLS, 443 among them', { ports: '8080,9443:ssl,443:ssl', host: 'shop.example:8080' }, ''],
    ['a published port', { ports: unprivileged, published: '8443:443', host: 'shop.example:8080' }, ''],
    ['a published port of its own', { ports: unprivileged, published: '8080:9080,8443:9443' }, ':9443'],
    [
      'a published port before X-Forwarded-Port',
      { ports: unprivileged, published: '8443:443', forwardedPort: 9443 },
      '',
    ],
    ['a published port of a plain entrypoint', { ports: unprivileged, published: '8080:80' }, ''],
    ['a published port of the second that ends TLS', { ports: '80,8443:ssl,9443:ssl', published: '9443:444' }, ':444'],
    ['a published port of 443', { ports: '80,443:ssl,8443:ssl', published: '8443:9443,443:4443' }, ':4443'],
    ['X-Forwarded-Port of a hop that ends TLS', { ports: '80', forwardedPort: 9443 }, ':9443'],
    [
      'X-Forwarded-Port before the Host',
      { ports: unprivileged, forwardedPort: 9443, host: 'shop.example:8080' },
      ':9443',
    ],
    ['X-Forwarded-Port 443', { ports: unprivileged, forwardedPort: 443, host: 'shop.example:8080' }, ''],
    ['X-Forwarded-Port 80: that port ends no TLS', { ports: unprivileged, forwardedPort: 80 }, ''],
    [
      'X-Forwarded-Port that is the port of the Host',
      { ports: unprivileged, forwardedPort: 8080, host: 'shop.example:8080' },
      ':8443',
    ],
    ['a Host in brackets', { ports: unprivileged, host: '[2001:db8::1]' }, ''],
  ];
  for (const [what, situation, port] of cases)
    it(`goes to https://shop.example${port} with ${what}`, async () => {
      const location = `https://shop.example${port}/a?b=c`;
      expect(await locationsOf(situation)).to.deep.equal([location, location]);
    });

  it('has the code that was requested', async () => {
    const step = httpsOnly({ name: 'httpsOnly', status: 308, ports: {} });
    expect((await responseOf([step], exchangeOf(routeOf())))?.status).to.equal(308);
  });
});
