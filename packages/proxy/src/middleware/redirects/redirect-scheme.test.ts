import { readSettings } from '@swarmgate/runtime';
import { expect } from 'chai';
import { exchangeOf, outcomeOf, overTls, responseOf, routeOf, type Sent } from '../../../test/middleware-fixture.ts';
import { securePortsOf } from '../https-redirect.ts';
import { redirectScheme } from './redirect-scheme.ts';

const { defaultPorts, publishedPorts } = readSettings('proxy', { env: {}, secretsDir: '/nonexistent' });
const ports = securePortsOf(defaultPorts, publishedPorts);
const toHttps = [redirectScheme({ kind: 'redirectScheme', scheme: 'https' }, ports)];

describe('redirectScheme', () => {
  const outcomes: readonly (readonly [string, Sent, string])[] = [
    ['that came by http', {}, '302 redirected'],
    ['that came by https', { client: overTls }, 'passes'],
    // HTTP/1.0 may come without a Host: there is nowhere to send it.
    ['without a host', { host: '' }, '403 http-denied'],
  ];
  for (const [what, sent, expected] of outcomes)
    it(`lets a request ${what} get: ${expected}`, async () => {
      expect(await outcomeOf(toHttps, exchangeOf(routeOf(), sent))).to.equal(expected);
    });

  it('keeps path and query, and names a port that is not the usual one', async () => {
    const locationOf = async (port?: number) => {
      const use = { kind: 'redirectScheme', scheme: 'https', ...(port === undefined ? {} : { port }) } as const;
      const sent = { path: '/a', query: '?b=c' };
      return (await responseOf([redirectScheme(use, ports)], exchangeOf(routeOf(), sent)))?.headers?.[1];
    };
    expect(await locationOf()).to.equal('https://shop.example/a?b=c');
    expect(await locationOf(443)).to.equal('https://shop.example/a?b=c');
    expect(await locationOf(8443)).to.equal('https://shop.example:8443/a?b=c');
  });
});
