import { expect } from 'chai';
import { translated } from '../../test/dynamic-files.ts';

describe('servers of the dynamic file of Traefik', () => {
  // [servers, fields of the destination; undefined: nothing is served]
  const served: readonly (readonly [string, Readonly<Record<string, unknown>> | undefined])[] = [
    ['[{url: "http://a:81"}]', { outboundHostname: 'a', port: 81, outboundServers: undefined }],
    [
      '[{url: "http://10.0.0.7:81"}, {url: "http://[::1]"}]',
      { outboundHostname: '10.0.0.7', port: 81, outboundServers: ['10.0.0.7:81', '[::1]:80'] },
    ],
    [
      '[{url: "https://a", weight: 3}, {url: "https://b:8443"}, {url: "https://c", weight: 0}]',
      { sslVerifyNone: true, outboundServers: ['a:443=3', 'b:8443=1'] },
    ],
    ['[{url: "http://a"}, {url: "https://b"}]', undefined],
    ['[{url: "http://a"}, {url: "http://b/path"}]', undefined],
    ['[{url: "http://a", weight: 0}, {url: "http://b", weight: 0}]', undefined],
    ['[{url: "http://a"}, {weight: 2}]', undefined],
    ['[{url: "http://a", weight: 0}]', undefined],
    ['[{url: "http://a", weight: 5000}]', { outboundHostname: 'a', outboundServers: undefined }],
    ['[{url: "http://a", weight: 1000}, {url: "http://b", weight: 1001}]', undefined],
    ['[{url: "http://a", weight: -1}, {url: "http://b"}]', undefined],
    ['[{url: "http://a", weight: 1.5}, {url: "http://b"}]', undefined],
    ['[{url: "http://a"}, {url: "http://a"}]', { outboundServers: ['a:80', 'a:80'] }],
    ['[{url: "http://b."}, {url: "http://c/"}]', { outboundServers: ['b.:80', 'c:80'] }],
    // The registry would refuse them, and keep a definition that lacks the restrictions of now.
    ['[{url: "http://a..b"}]', undefined],
    ['[{url: "http://a"}, {url: "http://a..b"}]', undefined],
    ['[{url: "http://[1:2]"}]', undefined],
    ['[{url: "http://::1"}]', undefined],
    ['[{url: "http://a:0"}, {url: "http://b"}]', undefined],
    ['[{url: "http://a:65536"}]', undefined],
    ['[{url: "http://user:pass@a"}]', undefined],
  ];
  for (const [servers, expected] of served)
    it(`leads to the servers ${servers}`, () => {
      const text = `http:\n  routers: {a: {rule: Host(\`a\`), service: b}}\n  services: {b: {loadBalancer: {servers: ${servers}}}}\n`;
      const { destinations = [], problems = [] } = translated(text).get('traefik-file') ?? {};
      if (expected === undefined) {
        expect(destinations).to.deep.equal([]);
        expect(problems.map(({ severity }) => severity)).to.include('error');
        expect(JSON.stringify(problems), 'credentials').to.not.include('pass@');
      } else {
        expect(problems).to.deep.equal([]);
        for (const [field, value] of Object.entries(expected))
          expect(destinations[0]?.[field as 'outboundServers'], field).to.deep.equal(value);
      }
    });

  // [servers of TCP, what the destination has; undefined: nothing is served]
  const ofTcp: readonly (readonly [string, object | undefined])[] = [
    ['[{address: "10.0.0.7:5432"}]', { port: 5432, outboundHostname: '10.0.0.7' }],
    [
      '[{address: "db:5432"}, {address: "[::1]:5433"}]',
      { port: 5432, outboundHostname: 'db', outboundServers: ['db:5432', '[::1]:5433'] },
    ],
    ['[{address: "db"}]', undefined],
    ['[{address: "db:0"}]', undefined],
    ['[{address: "db:5432=3"}]', undefined],
    ['[{address: "tcp://db:5432"}]', undefined],
    ['[{address: "db:5432", tls: true}]', undefined],
    ['[{address: "db:5432"}, {address: "db:5433", tls: true}]', undefined],
    ['[{address: "db:5432", tls: false}]', { port: 5432, outboundHostname: 'db' }],
    ['[]', undefined],
  ];
  const ofAll = {
    reqMode: 'sni',
    entryPorts: ['ssl'],
    serviceDomain: ['a'],
    timeoutTunnelMs: 86_400_000,
    clitcpka: true,
  };
  for (const [servers, expected] of ofTcp)
    it(`relays to the servers ${servers}`, () => {
      const text = `tcp:\n  routers: {a: {rule: HostSNI(\`a\`), tls: {passthrough: true}, service: b}}\n  services: {b: {loadBalancer: {servers: ${servers}}}}\n`;
      const { destinations = [], problems = [] } = translated(text).get('traefik-file') ?? {};
      expect(destinations.map(({ index: _, since: _since, ...fields }) => fields)).to.deep.equal(
        expected === undefined ? [] : [{ ...ofAll, ...expected }],
      );
      if (expected === undefined) expect(problems.map(({ severity }) => severity)).to.include('error');
      else expect(problems).to.deep.equal([]);
    });
});
