import { expect } from 'chai';
import fc from 'fast-check';
import { http, type Labels, one, port, router, service, translated } from '../../test/traefik-services.ts';
import type { TraefikTranslation } from './translate-traefik.ts';

describe('labels of Traefik', () => {
  it('become a destination with the rule, its priority and its port', () => {
    expect(one(router)).to.deep.equal({
      destinations: [
        {
          index: 0,
          since: 7,
          serviceDomain: ['a.example'],
          rule: 'Host(`a.example`)',
          entryPorts: ['plain'],
          priority: 17,
          port: 80,
          timeoutServerMs: 3_600_000,
          timeoutClientMs: 60_000,
          overrides: { acme: false },
        },
      ],
      problems: [],
    });
  });

  // [what it shows, labels, fields of the destination; undefined: none]
  const cases: readonly (readonly [string, Labels, Readonly<Record<string, unknown>> | undefined])[] = [
    ['keys in any case', { 'Routers.web.RULE': 'Host(`a.example`)', ...port }, { serviceDomain: ['a.example'] }],
    ['an entrypoint', { ...router, 'routers.web.entrypoints': 'web' }, { entryPorts: ['plain'] }],
    ['several entrypoints', { ...router, 'routers.web.entryPoints': 'web, ADMIN' }, { entryPorts: ['plain', '8000'] }],
    [
      'an unknown entrypoint beside a known one',
      { ...router, 'routers.web.entrypoints': 'web,x' },
      { entryPorts: ['plain'] },
    ],
    ['an unknown entrypoint alone', { ...router, 'routers.web.entrypoints': 'internal' }, undefined],
    ['TLS without entrypoints', { ...router, 'routers.web.tls': 'true' }, { entryPorts: ['ssl'] }],
    [
      'TLS at a port',
      { ...router, 'routers.web.tls': 'true', 'routers.web.entrypoints': 'admin' },
      { entryPorts: ['8000:ssl'] },
    ],
    [
      'TLS at a plain entrypoint',
      { ...router, 'routers.web.tls': 'true', 'routers.web.entrypoints': 'web' },
      undefined,
    ],
    ['TLS that is off', { ...router, 'routers.web.tls': 'false' }, { entryPorts: ['plain'] }],
    [
      'a resolver of an issuer',
      { ...router, 'routers.web.tls.certresolver': 'letsencrypt' },
      { entryPorts: ['ssl'], overrides: { acme: 'letsencrypt' } },
    ],
    ['a resolver of another name', { ...router, 'routers.web.tls.certresolver': 'le' }, { overrides: undefined }],
    [
      'names of certificates',
      {
        ...router,
        'routers.web.tls.certresolver': 'letsencrypt',
        'routers.web.tls.domains[0].main': 'a.example',
        'routers.web.tls.domains[0].sans': '*.A.example, b.example',
      },
      { overrides: { acme: 'letsencrypt', acmeDomains: ['a.example', '*.a.example', 'b.example'] } },
    ],
    [
      'names of certificates without a resolver',
      { ...router, 'routers.web.tls.domains[0].main': 'a.example' },
      { overrides: { acme: false } },
    ],
    [
      'its own address as Host',
      { ...router, 'services.web.loadbalancer.passhostheader': 'false' },
      { passHostHeader: false },
    ],
    [
      'allowed hosts beside headers',
      {
        ...router,
        'routers.web.middlewares': 'h',
        'middlewares.h.headers.allowedHosts': 'a.example, B.example',
        'middlewares.h.headers.frameDeny': 'true',
      },
      {
        middlewares: [
          { kind: 'allowedHosts', hosts: ['a.example', 'b.example'] },
          { kind: 'headers', frameDeny: true },
        ],
      },
    ],
    [
      'allowed hosts alone',
      { ...router, 'routers.web.middlewares': 'h', 'middlewares.h.headers.allowedHosts': 'a.example' },
      { middlewares: [{ kind: 'allowedHosts', hosts: ['a.example'] }] },
    ],
    [
      'gRPC-Web, with the origins that may call',
      { ...router, 'routers.web.middlewares': 'g', 'middlewares.g.grpcweb.allowOrigins': 'https://a.example' },
      {
        grpcWeb: true,
        middlewares: [
          {
            kind: 'headers',
            allowOrigins: ['https://a.example'],
            allowMethods: ['POST'],
            allowHeaders: ['content-type', 'x-grpc-web', 'x-user-agent', 'grpc-timeout', 'authorization'],
            exposeHeaders: ['grpc-status', 'grpc-message', 'grpc-status-details-bin'],
            allowCredentials: true,
          },
        ],
      },
    ],
    [
      'parts of client certificates',
      {
        ...router,
        'routers.web.middlewares': 'c',
        'middlewares.c.passtlsclientcert.pem': 'true',
        'middlewares.c.passtlsclientcert.info.subject.commonName': 'true',
        'middlewares.c.passtlsclientcert.info.notAfter': 'true',
      },
      { middlewares: [{ kind: 'passTLSClientCert', pem: true, subjectCommonName: true, notAfter: true }] },
    ],
    ['a priority', { ...router, 'routers.web.priority': '42' }, { priority: 42 }],
    ['priority 0', { ...router, 'routers.web.priority': '0' }, { priority: 17 }],
    ['a priority that is no number', { ...router, 'routers.web.priority': 'high' }, undefined],
    ['a rule that cannot be read', { ...router, 'routers.web.rule': 'Host(`a`' }, undefined],
    [
      'a rule for any host',
      { ...router, 'routers.web.rule': 'PathPrefix(`/x`)' },
      { servicePath: ['/'], rule: 'PathPrefix(`/x`)' },
    ],
    ['no rule', { 'routers.web.entrypoints': 'web', ...port }, { rule: 'Host(`shop-web`)', priority: 16 }],
    ['no router', port, { rule: 'Host(`shop-web`)' }],
    ['no port', { 'routers.web.rule': 'Host(`a.example`)' }, undefined],
    ['a port that is none', { ...router, 'services.web.loadbalancer.server.port': '99999' }, undefined],
    ['a service of another provider', { ...router, 'routers.web.service': 'x@file' }, undefined],
    ['a service that is not defined', { ...router, 'routers.web.service': 'x' }, undefined],
    ['its service by name', { ...router, 'routers.web.service': 'web@docker' }, { port: 80 }],
    ['two services and none named', { ...router, 'services.b.loadbalancer.server.port': '81' }, undefined],
    [
      'two services and one named',
      { ...router, 'services.b.loadbalancer.server.port': '81', 'routers.web.service': 'b@swarm' },
      { port: 81 },
    ],
    [
      'https to the service',
      { ...router, 'services.web.loadbalancer.server.scheme': 'https' },
      { sslVerifyNone: true },
    ],
    [
      'HTTP/2 to the service',
      { ...router, 'services.web.loadbalancer.server.scheme': 'h2c' },
      { protocol: 'h2c', timeoutClientMs: undefined },
    ],
    [
      'a router without a log',
      { ...router, 'routers.web.observability.accesslogs': 'false', 'routers.web.observability.tracing': 'false' },
      { accessLog: 'off', traceSample: 0 },
    ],
    [
      'a router with one',
      { ...router, 'routers.web.observability.accesslogs': 'true' },
      { accessLog: undefined, traceSample: undefined },
    ],
    [
      'a server elsewhere',
      { 'routers.web.rule': 'Host(`a`)', 'services.web.loadbalancer.server.url': 'https://10.0.0.7:8443' },
      { outboundHostname: '10.0.0.7', port: 8443, sslVerifyNone: true },
    ],
    [
      'a health check',
      {
        ...router,
        'services.web.loadbalancer.healthcheck.path': '/health',
        'services.web.loadbalancer.healthcheck.interval': '1m30s',
      },
      { checkPath: '/health', checkIntervalMs: 90_000 },
    ],
    [
      'a sticky cookie',
      { ...router, 'services.web.loadbalancer.sticky.cookie.name': 'lb' },
      { overrides: { sessionType: 'sticky-server', sessionCookie: 'lb', acme: false } },
    ],
    [
      'a middleware',
      { ...router, 'routers.web.middlewares': 'strip@docker', 'middlewares.strip.stripprefix.prefixes': '/a,/b' },
      { middlewares: [{ kind: 'stripPrefix', prefixes: ['/a', '/b'] }] },
    ],
    [
      'a chain in its order',
      {
        ...router,
        'routers.web.middlewares': 'all',
        'middlewares.all.chain.middlewares': 'add, replace',
        'middlewares.add.addprefix.prefix': '/x',
        'middlewares.replace.replacepath.path': '/y',
      },
      {
        middlewares: [
          { kind: 'addPrefix', prefix: '/x' },
          { kind: 'replacePath', path: '/y' },
        ],
      },
    ],
    [
      'headers with their names as written',
      {
        ...router,
        'routers.web.middlewares': 'h',
        'middlewares.h.headers.customrequestheaders.X-Script-Name': '/x',
        'middlewares.h.headers.STSSeconds': '5',
      },
      { middlewares: [{ kind: 'headers', request: { 'X-Script-Name': '/x' }, stsSeconds: 5 }] },
    ],
    [
      'headers without one that frames the message',
      {
        ...router,
        'routers.web.middlewares': 'h',
        'middlewares.h.headers.customrequestheaders.Connection': 'close',
        'middlewares.h.headers.customrequestheaders.X-A': 'b',
      },
      { middlewares: [{ kind: 'headers', request: { 'X-A': 'b' } }] },
    ],
    [
      'a rate limit of a burst alone, which limits nothing',
      { ...router, 'routers.web.middlewares': 'r', 'middlewares.r.ratelimit.burst': '5' },
      { middlewares: [{ kind: 'rateLimit', average: 0, burst: 5 }] },
    ],
    [
      'one of Traefik’s own services',
      { 'routers.web.rule': 'Host(`a.example`)', 'routers.web.service': 'api@internal' },
      { middlewares: [{ kind: 'ipAllowList', sourceRange: ['255.255.255.255/32'], rejectStatus: 404 }] },
    ],
  ];
  for (const [what, labels, expected] of cases)
    it(`${what} ${expected === undefined ? 'is not served' : 'is served'}`, () => {
      const { destinations } = one(labels);
      if (expected === undefined) {
        expect(destinations).to.deep.equal([]);
        expect(one(labels).problems).to.have.length.above(0);
        return;
      }
      expect(destinations).to.have.length(1);
      const found = new Map<string, unknown>(Object.entries(destinations[0] ?? {}));
      for (const [field, value] of Object.entries(expected)) expect(found.get(field), field).to.deep.equal(value);
    });

  // What restricts and cannot be had closes the router; it never falls away.
  const closing: readonly (readonly [string, Labels])[] = [
    ['is not defined', {}],
    ['is of another provider', { 'routers.web.middlewares': 'auth@file' }],
    ['takes users from a file', { 'middlewares.auth.basicauth.usersfile': '/users' }],
    [
      'takes users from a file beside those of its labels',
      {
        'middlewares.auth.basicauth.users': 'ann:$apr1$lZL6V/ci$MkgHeUZg.IVGcx3pyPc4.1',
        'middlewares.auth.basicauth.usersfile': '/users',
      },
    ],
    ['has users without a salted hash', { 'middlewares.auth.basicauth.users': 'ann:plain' }],
    ['has no users', { 'middlewares.auth.basicauth': 'true' }],
    ['is digest authentication', { 'middlewares.auth.digestauth.users': 'ann:realm:x' }],
    ['is a plug-in', { 'middlewares.auth.plugin.bouncer.enabled': 'true' }],
    ['is of two kinds', { 'middlewares.auth.compress': 'true', 'middlewares.auth.retry.attempts': '2' }],
    ['has a list of addresses that cannot be read', { 'middlewares.auth.ipallowlist.sourcerange': '10.0.0.0/33' }],
    [
      'sends bodies to its service',
      { 'middlewares.auth.forwardauth.address': 'http://a', 'middlewares.auth.forwardauth.forwardbody': 'true' },
    ],
    ['is a chain that leads back to itself', { 'middlewares.auth.chain.middlewares': 'auth' }],
    ['is a chain with one that is missing', { 'middlewares.auth.chain.middlewares': 'gone' }],
    [
      'shows pages of a service that is missing',
      { 'middlewares.auth.errors.service': 'gone', 'middlewares.auth.errors.status': '500' },
    ],
  ];
  for (const [what, labels] of closing)
    it(`a router whose middleware ${what} is closed, with a problem that names it`, () => {
      const { destinations, problems } = one({ 'routers.web.middlewares': 'auth', ...router, ...labels });
      expect(destinations[0]?.middlewares?.map(({ kind }) => kind)).to.include('unsupported');
      const reasons = problems.filter(({ reason }) => reason === 'middleware-unusable');
      expect(reasons).to.have.length(1);
      expect(reasons[0]?.message).to.match(/auth|gone/);
      expect(JSON.stringify(problems)).not.to.include('plain');
    });

  it('a router with TLS options is closed: they may demand certificates of clients', () => {
    const { destinations, problems } = one({ ...router, 'routers.web.tls.options': 'mtls@file' });
    expect(destinations[0]?.middlewares?.[0]).to.include({ kind: 'unsupported', name: 'tls.options=mtls@file' });
    expect(problems.map(({ reason }) => reason)).to.deep.equal(['middleware-unusable']);
    expect(one({ ...router, 'routers.web.tls.options': 'default' }).problems).to.deep.equal([]);
  });

  // [label, in the problem]
  const unknown: readonly (readonly [string, RegExp])[] = [
    ['traefik.http.routers.web.middleware', /did you mean middlewares/],
    ['traefik.http.routers.web.entrypoint', /did you mean entryPoints/],
    ['traefik.http.middlewares.auth.basicaut.users', /did you mean basicAuth/],
    ['traefik.http.middlewares.auth.basicauth.user', /did you mean users/],
    ['traefik.http.services.web.loadbalancer.server.prt', /server\.port/],
    ['traefik.http.router.web.rule', /did you mean http\.routers/],
    ['traefik.tcp.routers.db.rul', /did you mean rule/],
  ];
  for (const [label, expected] of unknown)
    it(`${label} is named with the nearest one, and nothing of the service is served`, () => {
      const labels = { ...http(router), [label]: 'opensesame' };
      const translation = translated([service('web', labels)]).get('web');
      expect(translation?.destinations).to.deep.equal([]);
      const [problem] = translation?.problems ?? [];
      expect(problem).to.include({ severity: 'error', reason: 'label-unknown', label });
      expect(problem?.suggestion).to.match(expected);
      expect(JSON.stringify(translation)).not.to.include('opensesame');
    });

  it('of other providers are warned of alone', () => {
    const { destinations, problems } = translated([
      service('web', { ...http(router), 'traefik.entrypoints': 'web', 'traefik.constraint-label': 'public' }),
    ]).get('web') as TraefikTranslation;
    expect(destinations).to.have.length(1);
    expect(problems.map(({ reason, label }) => [reason, label])).to.deep.equal([
      ['label-unknown', 'traefik.entrypoints'],
    ]);
  });

  it('of version 1 serve nothing, and are written in version 3', () => {
    const labels = {
      'traefik.enable': 'true',
      'traefik.frontend.rule': 'Host:a.example,b.example;PathPrefix:/x',
      'traefik.port': '81',
    };
    const { destinations, problems } = translated([service('web', labels)]).get('web') as TraefikTranslation;
    expect(destinations).to.deep.equal([]);
    expect(problems[0]?.suggestion)
      .to.include('(Host(`a.example`) || Host(`b.example`)) && PathPrefix(`/x`)')
      .and.include('port=81');
  });

  it('of UDP serve nothing and are reported', () => {
    const { destinations, problems } = translated([
      service('dns', { 'traefik.udp.routers.dns.entrypoints': 'dns', 'traefik.enable': 'true' }),
    ]).get('dns') as TraefikTranslation;
    expect(destinations).to.deep.equal([]);
    expect(problems.map(({ reason }) => reason)).to.deep.equal(['udp-unsupported']);
  });

  it('never throw, and name no secret', () => {
    const piece = fc.constantFrom(
      ...[
        'http',
        'tcp',
        'udp',
        'routers',
        'services',
        'middlewares',
        'web',
        'rule',
        'basicauth',
        'users',
        'tls',
        'chain',
      ],
      ...[
        'middlewares',
        'loadbalancer',
        'server',
        'port',
        'entrypoints',
        'headers',
        'customrequestheaders',
        '__proto__',
        'constructor',
        '',
      ],
    );
    const key = fc.array(piece, { maxLength: 6 }).map((parts) => `traefik.${parts.join('.')}`);
    const value = fc.oneof(
      fc.constantFrom('true', 'web', 'Host(`a`)', '80', 'ann:opensesame'),
      fc.string({ maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 12 }), (labels) => {
        const result = translated([service('web', labels), service('b', http(router))]);
        expect(JSON.stringify([...result.values()].map(({ problems }) => problems))).not.to.include('opensesame');
      }),
      { numRuns: 500, seed: 20260102 },
    );
  });
});
