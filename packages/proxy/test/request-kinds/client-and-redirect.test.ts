import { expect } from 'chai';
import { allowedAddresses } from '../../src/middleware/allowed-addresses.ts';
import { httpsOnly } from '../../src/middleware/https-redirect.ts';
import { everyServer, type SentRequest } from './every-server.ts';

const behindHop = (...fields: string[]): SentRequest => ({ trustedHop: true, fields });

describe('the client behind a trusted hop', () => {
  const addresses = [
    ['203.0.113.9:4711', '203.0.113.9'],
    ['203.0.113.9, 10.1.1.1:80', '203.0.113.9'],
    ['[2001:db8::9]:4711', '2001:db8::9'],
    ['[2001:db8::9]', '2001:db8::9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['203.0.113.9, unknown', 'unknown'],
    ['203.0.113.9, _hidden', '_hidden'],
    ['203.0.113.9,', 'unknown'],
  ] as const;
  const inAnyNetwork = allowedAddresses(['0.0.0.0/0', '::/0']);
  for (const { name, exchange } of everyServer) {
    for (const [forwardedFor, address] of addresses)
      it(`is ${address} for "X-Forwarded-For: ${forwardedFor}" over ${name}, and what no hop names is let in nowhere`, async () => {
        const seen = await exchange({ ...behindHop(`X-Forwarded-For: ${forwardedFor}`), steps: [inAnyNetwork] });
        expect(seen.record.clientAddress).to.equal(address);
        expect(seen.status).to.equal(/^[_u]/.test(address) ? 403 : 200);
        if (seen.status === 200) expect(seen.forwarded).to.include(`x-forwarded-for: ${forwardedFor}, 127.0.0.1`);
      });

    for (const [proto, status] of [
      ['wss', 200],
      ['ws', 302],
      ['https', 200],
      ['http', 302],
    ] as const)
      it(`came by ${proto} by the hop’s header, over ${name}`, async () => {
        const steps = [httpsOnly({ name: 'httpsOnly', status: 302, ports: {} })];
        const seen = await exchange({ ...behindHop(`X-Forwarded-Proto: ${proto}`), steps });
        expect(seen.status).to.equal(status);
      });
  }
});

describe('a redirect to https', () => {
  const ports = { entrypoint: 8443 };
  const cases: readonly [string, SentRequest, object, string][] = [
    ['a Host without a port', {}, ports, 'https://shop.example/a?b'],
    ['a Host with a port', { host: 'shop.example:8080' }, ports, 'https://shop.example:8443/a?b'],
    ['X-Forwarded-Port of a trusted hop', behindHop('X-Forwarded-Port: 9443'), ports, 'https://shop.example:9443/a?b'],
    ['X-Forwarded-Port of a stranger', { fields: ['X-Forwarded-Port: 9443'] }, ports, 'https://shop.example/a?b'],
    ['a published port', { host: 'shop.example:8080' }, { ...ports, published: 443 }, 'https://shop.example/a?b'],
  ];
  for (const { name, exchange } of everyServer)
    for (const [what, request, secure, location] of cases)
      it(`goes to ${location} with ${what}, over ${name}`, async () => {
        const steps = [httpsOnly({ name: 'httpsOnly', status: 302, ports: secure })];
        const seen = await exchange({ ...request, target: '/a?b', steps });
        expect([seen.status, seen.response('location')]).to.deep.equal([302, location]);
      });
});

describe('the port that services receive', () => {
  const published = { publishedPorts: new Map([[80, 30080]]) };
  const other = { publishedPorts: new Map([[81, 30080]]) };
  const hop = { trustedHop: true };
  const cases: readonly [string, SentRequest, string][] = [
    ['the entrypoint’s', {}, '80'],
    ['the entrypoint’s, where another one is published', { server: other }, '80'],
    ['the published one', { server: published }, '30080'],
    ['the published one, whatever a stranger says', { server: published, fields: ['X-Forwarded-Port: 1'] }, '30080'],
    ['the published one, behind a hop that says none', { ...hop, server: { ...published } }, '30080'],
    ['that of a trusted hop', { ...hop, fields: ['X-Forwarded-Port: 8443'], server: { ...published } }, '8443'],
  ];
  for (const { name, exchange } of everyServer)
    for (const [what, request, port] of cases)
      it(`is ${what}, over ${name}`, async () => {
        const trusted = request.trustedHop === true ? { trusted: ['127.0.0.0/8'] } : {};
        const seen = await exchange({ ...request, server: { ...request.server, ...trusted } });
        expect(seen.forwarded?.filter((line) => line.startsWith('x-forwarded-port'))).to.deep.equal([
          `x-forwarded-port: ${port}`,
        ]);
        expect(seen.record.entryPort).to.equal(80);
      });
});
