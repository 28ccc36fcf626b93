import { expect } from 'chai';
import { fileOf, service, translated } from '../../test/dynamic-files.ts';

const swarm = (name: string, more: Readonly<Record<string, string>> = {}) =>
  service(name, { [`traefik.http.services.${name}.loadbalancer.server.port`]: '8080', ...more });
const outside = (name: string, ...urls: readonly string[]) =>
  `    ${name}: {loadBalancer: {servers: [${urls.map((url) => `{url: "http://${url}"}`).join(', ')}]}}\n`;
const router = 'http:\n  routers: {r: {rule: Host(`a`), service: w}}\n  services:\n';

// [what, services of the file, fields of the destination; a text: the problem of what is not served]
const cases: readonly (readonly [string, string, object | RegExp])[] = [
  [
    'two services of the Swarm',
    '    w: {weighted: {services: [{name: one@swarm, weight: 3}, {name: two@docker}]}}\n',
    { outboundServers: ['tasks.one:8080=3', 'tasks.two:8080=1'], outboundHostname: 'tasks.one', port: 8080 },
  ],
  [
    'services of file and Swarm',
    `    w: {weighted: {services: [{name: one@swarm, weight: 9}, {name: old, weight: 1}]}}\n${outside('old', 'old.example')}`,
    { outboundServers: ['tasks.one:8080=9', 'old.example:80=1'] },
  ],
  [
    'a service of several servers, which share its part',
    `    w: {weighted: {services: [{name: a, weight: 1}, {name: b, weight: 1}]}}\n${outside('a', 'a1', 'a2', 'a3')}${outside('b', 'b')}`,
    { outboundServers: ['a1:80=1', 'a2:80=1', 'a3:80=1', 'b:80=3'] },
  ],
  [
    'parts that no whole numbers up to 1,000 give',
    `    w: {weighted: {services: [{name: a, weight: 999999}, {name: b, weight: 1}]}}\n${outside('a', 'a')}${outside('b', 'b')}`,
    { outboundServers: ['a:80=1000', 'b:80=1'] },
  ],
  [
    'one without requests',
    `    w: {weighted: {services: [{name: a, weight: 0}, {name: b}]}}\n${outside('a', 'a')}${outside('b', 'b')}`,
    { outboundServers: ['b:80'] },
  ],
  [
    'weighted services of weighted ones',
    `    w: {weighted: {services: [{name: v, weight: 1}, {name: c, weight: 1}]}}
    v: {weighted: {services: [{name: a, weight: 3}, {name: b, weight: 1}]}}\n${outside('a', 'a')}${outside('b', 'b')}${outside('c', 'c')}`,
    { outboundServers: ['a:80=3', 'b:80=1', 'c:80=4'] },
  ],
  [
    'a cookie',
    `    w: {weighted: {services: [{name: a}, {name: b}], sticky: {cookie: {name: lb, secure: true}}, healthCheck: {}}}\n${outside('a', 'a')}${outside('b', 'b')}`,
    {
      overrides: {
        sessionType: 'sticky-server',
        sessionCookie: 'lb',
        sessionCookieAttributes: 'Path=/; HttpOnly; SameSite=Lax; Secure',
        acme: false,
      },
    },
  ],
  [
    'a failover',
    `    w: {failover: {service: one@swarm, fallback: b, healthCheck: {}}}\n${outside('b', 'b', 'c')}`,
    { outboundServers: ['tasks.one:8080'], backupServers: ['b:80=1', 'c:80=1'] },
  ],
  [
    'a failover of weighted services',
    `    w: {failover: {service: v, fallback: b}}
    v: {weighted: {services: [{name: a, weight: 2}, {name: b}]}}\n${outside('a', 'a')}${outside('b', 'b')}`,
    { outboundServers: ['a:80=2', 'b:80=1'], backupServers: ['b:80'] },
  ],
  [
    'a service that is not there',
    `    w: {weighted: {services: [{name: a}, {name: gone@swarm}]}}\n${outside('a', 'a')}`,
    /^dynamic\.yml:\d+: the router r@file leads to w@file, and that to gone@swarm, which is not defined in this Swarm/,
  ],
  [
    'a service of another provider',
    `    w: {weighted: {services: [{name: a}, {name: b@consul}]}}\n${outside('a', 'a')}`,
    /b@consul, which stands with another provider/,
  ],
  ['itself', '    w: {weighted: {services: [{name: w}]}}\n', /w@file leads to itself/],
  [
    'itself by another one',
    '    w: {weighted: {services: [{name: v}]}}\n    v: {failover: {service: w, fallback: w}}\n',
    /w@file leads to itself/,
  ],
  ['nothing', '    w: {weighted: {services: []}}\n', /w@file has no service with a weight above 0/],
  ['an empty one', '    w: {weighted: {}}\n', /w@file has no service with a weight above 0/],
  ['an empty failover', '    w: {failover: {}}\n', /w@file has no service, so/],
  ['no fallback', '    w: {failover: {service: one@swarm}}\n', /w@file has no fallback/],
  ['one without a name', '    w: {weighted: {services: [{weight: 2}]}}\n', /w@file has a service without a name/],
  [
    'no requests at all',
    `    w: {weighted: {services: [{name: a, weight: 0}]}}\n${outside('a', 'a')}`,
    /w@file has no service with a weight above 0/,
  ],
  [
    'a weight that is none',
    `    w: {weighted: {services: [{name: a, weight: -1}]}}\n${outside('a', 'a')}`,
    /no whole number/,
  ],
  [
    'a failover in a weighted one',
    `    w: {weighted: {services: [{name: v}]}}\n    v: {failover: {service: a, fallback: a}}\n${outside('a', 'a')}`,
    /v is a failover, which no other service can lead to/,
  ],
  [
    'two schemes',
    `    w: {weighted: {services: [{name: one@swarm}, {name: a}]}}\n    a: {loadBalancer: {servers: [{url: "https://a"}]}}\n`,
    /the services of w@file are not all of one scheme/,
  ],
  [
    'two ways to send the Host',
    `    w: {weighted: {services: [{name: one@swarm}, {name: a}]}}\n    a: {loadBalancer: {passHostHeader: false, servers: [{url: "http://a"}]}}\n`,
    /the services of w@file are not all of one passHostHeader/,
  ],
  ['what Traefik itself is', '    w: {weighted: {services: [{name: api@internal}]}}\n', /Traefik’s own/],
  [
    'more servers than a group takes',
    `    w: {weighted: {services: [{name: a}, {name: b}]}}
${['a', 'b'].map((name) => outside(name, ...Array.from({ length: 60 }, (_each, at) => `${name}${at}`))).join('')}`,
    /leads to 120 servers, and 100 are the most/,
  ],
  [
    'two kinds at once',
    '    w: {weighted: {services: [{name: one@swarm}]}, loadBalancer: {servers: [{url: "http://a"}]}}\n',
    /w has no effect: it is weighted and loadbalancer at once/,
  ],
  [
    'a mirror',
    `    w: {mirroring: {service: a}}\n${outside('a', 'a')}`,
    /http\.services\.w has no effect: mirroring is not supported/,
  ],
];

describe('services of other services', () => {
  for (const [what, services, expected] of cases)
    it(`${expected instanceof RegExp ? 'are closed' : 'share requests'} where they name ${what}`, () => {
      const file = fileOf(router + services);
      const found = translated(router + services, swarm('one'), swarm('two')).get('traefik-file');
      const problems = [...file.problems, ...(found?.problems ?? []).map(file.placed)];
      if (expected instanceof RegExp) {
        expect(found?.destinations).to.deep.equal([]);
        expect(problems.filter(({ severity }) => severity === 'error').map(({ message }) => message)).to.satisfy(
          (messages: readonly string[]) => messages.some((message) => expected.test(message)),
        );
      } else {
        expect(problems).to.deep.equal([]);
        expect(found?.destinations[0]).to.deep.include(expected);
      }
    });

  it('of services of the Swarm keep what those say of their checks, or say that they do not', () => {
    const checked = { 'traefik.http.services.one.loadbalancer.healthcheck.path': '/health' };
    const text = `${router}    w: {weighted: {services: [{name: one@swarm}, {name: two@swarm}]}}\n`;
    const differ = translated(text, swarm('one', checked), swarm('two')).get('traefik-file');
    expect(differ?.destinations[0]).to.not.have.property('checkPath');
    expect(differ?.problems.map(({ reason }) => reason)).to.deep.equal(['label-not-honoured']);
    const same = { 'traefik.http.services.two.loadbalancer.healthcheck.path': '/health' };
    const both = translated(text, swarm('one', checked), swarm('two', same)).get('traefik-file');
    expect(both?.destinations[0]?.checkPath).to.equal('/health');
    expect(both?.problems).to.deep.equal([]);
  });

  it('keep the cookie of one of them, for all', () => {
    const sticky = { 'traefik.http.services.one.loadbalancer.sticky.cookie.name': 'lb' };
    const text = `${router}    w: {weighted: {services: [{name: one@swarm}, {name: two@swarm}]}}\n`;
    const found = translated(text, swarm('one', sticky), swarm('two')).get('traefik-file');
    expect(found?.destinations[0]?.overrides).to.deep.include({ sessionType: 'sticky-server', sessionCookie: 'lb' });
    expect(found?.problems.map(({ reason }) => reason)).to.deep.equal(['label-not-honoured']);
  });

  it('have the middlewares of the router, once', () => {
    const text = `http:
  routers: {r: {rule: Host(\`a\`), service: w, middlewares: [m]}}
  middlewares: {m: {ipAllowList: {sourceRange: [10.0.0.0/8]}}}
  services:\n    w: {weighted: {services: [{name: one@swarm}, {name: two@swarm}]}}\n`;
    const { destinations = [] } = translated(text, swarm('one'), swarm('two')).get('traefik-file') ?? {};
    expect(destinations.map(({ middlewares }) => middlewares?.map(({ kind }) => kind))).to.deep.equal([
      ['ipAllowList'],
    ]);
  });

  it('are what labels name by @file, and no labels of their own', () => {
    const text = `http:\n  services:\n    w: {weighted: {services: [{name: one@swarm}, {name: two@swarm, weight: 2}]}}\n`;
    const labels = { 'traefik.http.routers.one.rule': 'Host(`a`)', 'traefik.http.routers.one.service': 'w@file' };
    const found = translated(text, swarm('one', labels), swarm('two')).get('traefik-file');
    expect(found?.destinations[0]?.outboundServers).to.deep.equal(['tasks.one:8080=1', 'tasks.two:8080=2']);
    const own = swarm('three', { 'traefik.http.services.w.weighted.services[0].name': 'one' });
    expect(own.read.isRejected).to.equal(true);
  });

  it('are the same for TCP', () => {
    const text = `tcp:
  routers: {r: {rule: HostSNI(\`a\`), tls: {passthrough: true}, service: w}}
  services:
    w: {weighted: {services: [{name: db@swarm, weight: 2}, {name: old}]}}
    old: {loadBalancer: {servers: [{address: "10.0.0.7:5432"}]}}\n`;
    const db = service('db', { 'traefik.tcp.services.db.loadbalancer.server.port': '5432' });
    const found = translated(text, db).get('traefik-file');
    expect(found?.problems).to.deep.equal([]);
    expect(found?.destinations[0]).to.deep.include({
      reqMode: 'sni',
      port: 5432,
      outboundHostname: 'tasks.db',
      outboundServers: ['tasks.db:5432=2', '10.0.0.7:5432=1'],
    });
  });
});
