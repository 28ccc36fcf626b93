import { expect } from 'chai';
import { fileOf, service, translated } from '../../test/dynamic-files.ts';
import { dynamicFileBounds, readDynamicFile, readDynamicFiles } from './dynamic-file.ts';
import type { TraefikService } from './traefik-options.ts';
import { translateTraefik } from './translate-traefik.ts';

const port = { 'traefik.http.services.web.loadbalancer.server.port': '80' };
const requested = (middlewares: string) =>
  service('web', {
    'traefik.http.routers.web.rule': 'Host(`a`)',
    'traefik.http.routers.web.middlewares': middlewares,
    ...port,
  });
const auth = `http:
  middlewares:
    auth:
      ipAllowList:
        sourceRange: [10.0.0.0/8, 192.168.0.0/16]
    both:
      chain:
        middlewares: [auth, slow@swarm]
`;

describe('the dynamic file of Traefik', () => {
  const kindsOf = (text: string, ...services: readonly TraefikService[]) =>
    translated(text, ...services)
      .get('web')
      ?.destinations[0]?.middlewares?.map(({ kind }) => kind);

  it('defines middlewares that labels name with @file, and no others', () => {
    const used = translated(auth, requested('auth@file')).get('web')?.destinations[0]?.middlewares;
    expect(used).to.deep.equal([{ kind: 'ipAllowList', sourceRange: ['10.0.0.0/8', '192.168.0.0/16'] }]);
    expect(kindsOf(auth, requested('auth'))).to.deep.equal(['unsupported']);
    expect(kindsOf(auth, requested('other@file'))).to.deep.equal(['unsupported']);
  });

  it('names its own in chains, and those of the Swarm with @swarm', () => {
    const slow = service('slow', { 'traefik.http.middlewares.slow.stripprefix.prefixes': '/a' });
    expect(kindsOf(auth, requested('both@file'), slow)).to.deep.equal(['ipAllowList', 'stripPrefix']);
    expect(kindsOf(auth, requested('both@file'))).to.deep.equal(['ipAllowList', 'unsupported']);
  });

  it('keeps its names apart from equal ones of the Swarm', () => {
    const own = service('own', { 'traefik.http.middlewares.auth.stripprefix.prefixes': '/a' });
    expect(kindsOf(auth, requested('auth@swarm,auth@file'), own)).to.deep.equal(['stripPrefix', 'ipAllowList']);
  });

  it('takes anchors and merge keys', () => {
    const text = `http:
  middlewares:
    base: &base
      ipAllowList: { sourceRange: [10.0.0.0/8] }
    auth:
      <<: *base
`;
    expect(kindsOf(text, requested('auth@file'))).to.deep.equal(['ipAllowList']);
  });

  it('has routers to services of the Swarm, and to servers beside it', () => {
    const text = `http:
  routers:
    to-swarm:
      rule: Host(\`b.example\`)
      entryPoints: [web, websecure]
      service: web@docker
    outside:
      rule: Host(\`c.example\`)
      tls: {}
      service: legacy
  services:
    legacy:
      loadBalancer:
        servers:
          - url: http://10.0.0.7:8080
        healthCheck: { path: /health, interval: 10s }
`;
    const found = translated(text, service('web', port));
    const rules = found.get('web')?.destinations.map(({ rule, entryPorts }) => [rule, entryPorts]);
    expect(rules).to.deep.include(['Host(`b.example`)', ['plain', 'ssl']]);
    expect(found.get('traefik-file')?.destinations[0]).to.deep.include({
      rule: 'Host(`c.example`)',
      entryPorts: ['ssl'],
      outboundHostname: '10.0.0.7',
      port: 8080,
      checkPath: '/health',
      checkIntervalMs: 10_000,
    });
  });

  it('makes no router of a rule or a service that is missing', () => {
    const text = 'http:\n  routers:\n    a:\n      service: web@swarm\n    b:\n      rule: Host(`b`)\n';
    const found = translated(text, service('web', port));
    expect(found.get('traefik-file')?.destinations).to.deep.equal([]);
    expect(found.get('traefik-file')?.problems.map(({ reason }) => reason)).to.have.members([
      'rule-unreadable',
      'service-unknown',
    ]);
  });

  it('puts its place before problems', () => {
    const text = 'http:\n  routers:\n    a:\n      rule: Host(`a`\n      service: web@swarm\n';
    const [problem] = translated(text, service('web', port)).get('traefik-file')?.problems ?? [];
    const placed = problem && fileOf(text).placed(problem);
    expect(placed?.message).to.match(/^dynamic\.yml:4: the rule of the router a@file cannot be read/);
    expect(placed).to.not.have.property('label');
  });

  it('has no effect where it demands certificates of clients, and closes what would be open', () => {
    const text = 'tls:\n  options:\n    default:\n      clientAuth: { clientAuthType: RequireAndVerifyClientCert }\n';
    const routers = {
      'traefik.http.routers.a.rule': 'Host(`a`)',
      'traefik.http.routers.a.tls': 'true',
      'traefik.http.routers.b.rule': 'Host(`b`)',
    };
    const { destinations = [] } = translated(text, service('web', { ...routers, ...port })).get('web') ?? {};
    const closed = destinations.map(({ middlewares = [] }) => middlewares.map(({ kind }) => kind).join());
    expect(closed).to.deep.equal(['unsupported', '']);
    const tcp = {
      'traefik.tcp.routers.a.rule': 'HostSNI(`a`)',
      'traefik.tcp.routers.a.entrypoints': 'websecure',
      'traefik.tcp.routers.a.tls': 'true',
      'traefik.tcp.services.a.loadbalancer.server.port': '1',
    };
    expect(translated('', service('web', tcp)).get('web')?.destinations).to.have.length(1);
    expect(translated(text, service('web', tcp)).get('web')?.destinations).to.deep.equal([]);
    expect(fileOf(text).problems[0]?.message).to.match(/^dynamic\.yml:3: tls\.options\.default/);
    expect(fileOf('tls:\n  options:\n    default: { sniStrict: true }\n').closesTls).to.equal(undefined);
  });

  const partly: readonly (readonly [what: string, text: string, expected: RegExp])[] = [
    [
      'a mirroring service',
      'http:\n  services:\n    a:\n      mirroring: { service: b }\n',
      /mirroring is not supported/,
    ],
    ['no servers', 'http:\n  services:\n    a:\n      loadBalancer: {}\n', /it has no servers/],
    ['UDP', 'udp:\n  routers:\n    a: { service: b }\n', /:2: udp\.routers has no effect/],
    [
      'certificates',
      'tls:\n  certificates:\n    - { certFile: a, keyFile: b }\n',
      /:2: tls\.certificates has no effect: its files are not read/,
    ],
    ['TLS options', 'tls:\n  options:\n    modern: { minVersion: VersionTLS13 }\n', /:3: tls\.options\.modern/],
    ['transports', 'http:\n  serversTransports:\n    a: { insecureSkipVerify: true }\n', /:2: http\.serversTransports/],
  ];
  for (const [what, text, expected] of partly)
    it(`reports ${what}, with the line`, () => {
      expect(
        fileOf(text)
          .problems.map(({ message }) => message)
          .join('\n'),
      ).to.match(expected);
    });

  const refused: readonly (readonly [what: string, text: string, expected: RegExp])[] = [
    ['YAML that is none', 'http:\n  routers: [\n', /^dynamic\.yml:\d+: /],
    ['TOML', '[http.routers.a]\nrule = "x"\n', /^dynamic\.yml:\d+: /],
    ['a list at the top', '- a\n', /^dynamic\.yml:1: names with values/],
    ['an unknown family', 'htp: {}\n', /^dynamic\.yml:1: Traefik has no htp there/],
    ...['constructor', '__proto__', 'toString'].map(
      (name) =>
        [`the family ${name}`, `${name}: {a: {b: 1}}\n`, new RegExp(`^dynamic\\.yml:1: .* no ${name} there`)] as const,
    ),
    ['a map as a name', '? { <<: 1 }\n: 1\n', /^dynamic\.yml:1: a name is expected here/],
    ['an alias as a name', 'http: &x\n*x : {}\n', /^dynamic\.yml:2: a name is expected here/],
    [
      'a server without a value',
      'http:\n  services:\n    a: {loadBalancer: {servers: [{url: "http://a"}, {url: ""}]}}\n',
      /^dynamic\.yml:3: a server has a value of url that is none/,
    ],
    ['an unknown section', 'http:\n  router: {}\n', /^dynamic\.yml:2: Traefik has no router there/],
    ['an unknown key, which may restrict', `${auth}        sourceRanges: [x]\n`, /dynamic\.yml:\d+: /],
    [
      'an unknown middleware',
      'http:\n  middlewares:\n    a:\n      ipAlowList:\n        sourceRange: [10.0.0.0/8]\n',
      /^dynamic\.yml:5: Traefik has no http\.middlewares\.a\.ipAlowList/,
    ],
    ['a template', 'http:\n  routers:\n    a:\n      rule: "{{ env `X` }}"\n', /^dynamic\.yml:4: templates of Go/],
    ['a name with a dot', 'http:\n  routers:\n    a.b: {}\n', /^dynamic\.yml:3: the name a\.b/],
    ['a text where names stand', 'http:\n  routers: all\n', /^dynamic\.yml:2: names with values/],
    [
      'a name that stands twice',
      'http:\n  routers: {}\n  routers: {}\n',
      /^dynamic\.yml:3: routers stands there twice/,
    ],
    ['too much of it', `http: {} #${'x'.repeat(dynamicFileBounds.bytes)}`, /larger than/],
    [
      'too many values',
      `http:\n  routers:\n${Array.from({ length: 11_000 }, (_, at) => `    r${at}: {rule: a}\n`).join('')}`,
      /more than 20000 values/,
    ],
    [
      'what is nested too deep',
      `http:\n  middlewares:\n    a: ${'{a: '.repeat(30)}1${'}'.repeat(30)}\n`,
      /nested too deep/,
    ],
    ['what leads to itself', 'http: &a\n  routers: *a\n', /./],
    ...['middlewares: *nope', 'middlewares: [*nope]', '<<: *nope', 'rule: *nope'].map(
      (line) =>
        [
          `an alias without its anchor, which may restrict: ${line}`,
          `http:\n  routers:\n    a:\n      ${line}\n`,
          /^dynamic\.yml:4: an alias has no anchor/,
        ] as const,
    ),
    [
      'a long list that stands in many places',
      `http:\n  middlewares:\n    m: {ipAllowList: {sourceRange: &l [${'a,'.repeat(1_000)}a]}}\n${Array.from({ length: 50 }, (_, at) => `    m${at}: {ipAllowList: {sourceRange: *l}}\n`).join('')}`,
      /more than 20000 values/,
    ],
    [
      'aliases without end',
      `a: &a {x: 1}\nhttp:\n  middlewares:\n${Array.from({ length: 200 }, (_, at) => `    m${at}: *a\n`).join('')}`,
      /./,
    ],
  ];
  for (const [what, text, expected] of refused)
    it(`refuses ${what}`, () => {
      const read = readDynamicFile(text, 'dynamic.yml');
      expect(read.ok ? 'taken' : read.problem.message)
        .to.match(expected)
        .and.not.equal('taken');
    });

  // [TLS options, whether a router that names them is served]
  const tls: readonly (readonly [string, boolean])[] = [
    ['{}', true],
    ['{ minVersion: VersionTLS12 }', true],
    ['{ minVersion: VersionTLS12, cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], sniStrict: true }', true],
    ['{ maxVersion: VersionTLS13, curvePreferences: [X25519] }', true],
    ['{ minVersion: VersionTLS13 }', false],
    ['{ minVersion: [VersionTLS12] }', false],
    ['{ maxVersion: VersionTLS12 }', false],
    ['{ clientAuth: { clientAuthType: RequireAndVerifyClientCert } }', false],
    ['{ clientauth: {} }', false],
    ['{ guard: true }', false],
  ];
  for (const [options, isServed] of tls)
    it(`${isServed ? 'serves' : 'closes'} a router with the TLS options ${options}`, () => {
      const text = `tls: {options: {modern: ${options}}}\nhttp:\n  routers: {a: {rule: Host(\`a\`), service: b, tls: {options: modern}}}\n  services: {b: {loadBalancer: {servers: [{url: 'http://10.0.0.7'}]}}}\n`;
      const named = service('web', {
        'traefik.http.routers.web.rule': 'Host(`w`)',
        'traefik.http.routers.web.tls.options': 'modern@file',
        'traefik.http.services.web.loadbalancer.server.port': '80',
        'traefik.tcp.routers.db.rule': 'HostSNI(`db`)',
        'traefik.tcp.routers.db.tls.options': 'modern@file',
        'traefik.tcp.services.db.loadbalancer.server.port': '80',
      });
      const found = translated(text, named);
      const kinds = [...found.values()].flatMap(({ destinations }) =>
        destinations.map(({ reqMode = 'http', middlewares = [] }) =>
          [reqMode, ...middlewares.map(({ kind }) => kind)].join(),
        ),
      );
      expect(kinds).to.deep.equal(isServed ? ['http', 'tls', 'http'] : ['http,unsupported', 'http,unsupported']);
      // A name without its provider is one of the labels, which have no TLS options.
      const unnamed = service('web', { ...named.labels, 'traefik.http.routers.web.tls.options': 'modern' });
      expect(translated(text, unnamed).get('web')?.destinations[0]?.middlewares?.[0]?.kind).to.equal('unsupported');
    });

  it('is TOML by its name, with the values of YAML', () => {
    const toml = `[http.routers.a]\nrule = "Host(\`a\`)"\nservice = "b"\nmiddlewares = ["m", "n"]\n[http.routers.a.tls]\n
[http.services.b.loadBalancer]\n[[http.services.b.loadBalancer.servers]]\nurl = "http://10.0.0.7"\n
[http.middlewares.m.ipAllowList]\nsourceRange = ["10.0.0.0/8"]\n[http.middlewares.n.headers]\nframeDeny = true\n`;
    const yaml = `http:\n  routers: {a: {rule: Host(\`a\`), service: b, middlewares: [m, n], tls: {}}}\n  services: {b: {loadBalancer: {servers: [{url: 'http://10.0.0.7'}]}}}
  middlewares: {m: {ipAllowList: {sourceRange: [10.0.0.0/8]}}, n: {headers: {frameDeny: true}}}\n`;
    const read = readDynamicFile(toml, 'dynamic.toml');
    if (!read.ok) throw new Error(read.problem.message);
    expect(read.file.service.read.sections).to.deep.equal(fileOf(yaml).service.read.sections);
    expect(translated(yaml).get('traefik-file')?.destinations[0]?.middlewares).to.have.length(2);
  });

  for (const [what, text, expected] of [
    ['what is no TOML', '[http\n', /^dynamic\.toml:\d+: .*nothing of this version/],
    ['a name that stands twice', '[http.routers.a]\n[http.routers.a]\n', /^dynamic\.toml:\d+: /],
    ['an unknown key, which may restrict', '[http.routers.a]\nmiddleware = ["a"]\n', /^dynamic\.toml: Traefik has no/],
    ['a template', '[http.routers.a]\nrule = "{{ env \\"X\\" }}"\n', /^dynamic\.toml: templates of Go/],
    ['what is nested too deep', `a = ${'['.repeat(2_000)}${']'.repeat(2_000)}\n`, /^dynamic\.toml/],
    ['too much of it', `# ${'x'.repeat(dynamicFileBounds.bytes)}\n`, /larger than 1048576 bytes/],
  ] as const)
    it(`refuses ${what}, in TOML`, () => {
      const read = readDynamicFile(text, 'dynamic.toml');
      expect(read.ok ? 'taken' : read.problem.message).to.match(expected);
    });

  it('is several files, whose names are shared; of two definitions that of the first file holds', () => {
    const first = `http:\n  middlewares:\n    auth: {ipAllowList: {sourceRange: [10.0.0.0/8]}}\n    bad: {ipAllowList: {sourceRange: [x]}}\n`;
    const second = `http:\n  middlewares:\n    own: {addPrefix: {prefix: /a}}\n    auth: {ipAllowList: {sourceRange: [0.0.0.0/0]}}\n  routers: {r: {rule: Host(\`a\`), service: s, middlewares: [auth, bad]}}\n  services: {s: {loadBalancer: {servers: [{url: 'http://10.0.0.7'}]}}}\n`;
    const read = readDynamicFiles([
      { name: 'a.yml', text: first },
      { name: 'b.yml', text: second },
    ]);
    if (!read.ok) throw new Error(read.problem.message);
    const { service: ofFiles, problems, placed } = read.file;
    expect(problems.map(({ message }) => message)).to.deep.equal([
      'b.yml:4: http.middlewares.auth has no effect: a.yml:3 defines it too, and holds',
    ]);
    const options = { exposedByDefault: true, entrypoints: new Map([['web', ['plain']]]), defaultRule: '' };
    const found = translateTraefik([ofFiles], options, 0).get('traefik-file');
    expect(found?.destinations[0]?.middlewares?.map(({ kind }) => kind)).to.deep.equal(['ipAllowList', 'unsupported']);
    expect(found?.destinations[0]?.middlewares?.[0]).to.deep.include({ sourceRange: ['10.0.0.0/8'] });
    expect(found?.problems.map(placed).map(({ message }) => message.split(':')[0])).to.include.members([
      'a.yml',
      'b.yml',
    ]);
    const spoilt = readDynamicFiles([
      { name: 'a.yml', text: first },
      { name: 'b.yml', text: 'http: [' },
    ]);
    expect(spoilt.ok ? '' : spoilt.problem.message).to.match(/^b\.yml:1: /);
  });

  it('is nothing where it is empty', () => {
    for (const text of ['', '# nothing\n', 'http:\n', 'http: {}\n'])
      expect(fileOf(text).problems, text).to.deep.equal([]);
  });
});
