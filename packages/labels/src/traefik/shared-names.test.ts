import { expect } from 'chai';
import { http, type Labels, one, router, service, translated } from '../../test/traefik-services.ts';
import type { Destination } from '../definition/service-definition.ts';
import { readConstraint } from './constraints.ts';
import { sharedKey } from './shared-names.ts';
import { isForTraefik, type TraefikOptions } from './traefik-options.ts';
import type { TraefikTranslation } from './translate-traefik.ts';

describe('a name of another provider', () => {
  for (const [reference, key] of [
    ['auth', 'auth'],
    ['auth@docker', 'auth'],
    ['auth@swarm', 'auth'],
    ['auth@file', 'auth@file'],
    ['auth@consul', undefined],
  ] as const)
    it(`${reference} is ${key ?? 'none that is known'}`, () => {
      expect(sharedKey(reference, {})).to.equal(key);
    });
});

describe('labels of Traefik of several services', () => {
  describe('of TCP', () => {
    const tcp = (labels: Labels): TraefikTranslation =>
      translated([
        service('db', {
          'traefik.tcp.services.db.loadbalancer.server.port': '5432',
          ...Object.fromEntries(Object.entries(labels).map(([key, value]) => [`traefik.tcp.routers.db.${key}`, value])),
        }),
        service('guards', {
          'traefik.tcp.middlewares.staff.ipAllowList.sourceRange': '10.0.0.0/8, 192.168.1.7',
          'traefik.tcp.middlewares.few.inFlightConn.amount': '3',
          'traefik.tcp.middlewares.old.ipwhitelist.sourcerange': '10.0.0.0/8',
          'traefik.tcp.middlewares.wrong.ipallowlist.sourcerange': '10.0.0.0/99',
          'traefik.tcp.middlewares.both.ipallowlist.sourcerange': '10.0.0.0/8',
          'traefik.tcp.middlewares.both.inflightconn.amount': '3',
          'traefik.http.middlewares.auth.ipallowlist.sourcerange': '10.0.0.0/8',
        }),
      ]).get('db') as TraefikTranslation;

    const relayed: readonly (readonly [string, Labels, Partial<Destination> | undefined])[] = [
      ['a port of its own', { rule: 'HostSNI(`*`)', entrypoints: 'db' }, { reqMode: 'tcp', srcPort: 5432, port: 5432 }],
      [
        'TLS by its name',
        { rule: 'HostSNI(`db.example`) || HostSNI(`*.db.example`)', entrypoints: 'db', 'tls.passthrough': 'true' },
        { reqMode: 'sni', srcPort: 5432, serviceDomain: ['db.example', '*.db.example'] },
      ],
      ['a shared entrypoint', { rule: 'HostSNI(`*`)', entrypoints: 'web' }, undefined],
      ['no entrypoint', { rule: 'HostSNI(`*`)' }, undefined],
      ['an unknown one', { rule: 'HostSNI(`*`)', entrypoints: 'x' }, undefined],
      [
        'TLS by its name, at the entrypoints of requests',
        { rule: 'HostSNI(`db.example`)', entrypoints: 'websecure', 'tls.passthrough': 'true' },
        { reqMode: 'sni', entryPorts: ['ssl'], serviceDomain: ['db.example'] },
      ],
      [
        'TLS by its name, without entrypoints',
        { rule: 'HostSNI(`db.example`)', 'tls.passthrough': 'true' },
        { reqMode: 'sni', entryPorts: ['ssl'], serviceDomain: ['db.example'] },
      ],
      [
        'all TLS that requests leave',
        { rule: 'HostSNI(`*`)', entrypoints: 'websecure', 'tls.passthrough': 'true' },
        { reqMode: 'sni', entryPorts: ['ssl'] },
      ],
      [
        'TLS that is ended',
        { rule: 'HostSNI(`db.example`)', entrypoints: 'db', tls: 'true' },
        { reqMode: 'tls', entryPorts: ['5432:ssl'], serviceDomain: ['db.example'], overrides: { acme: false } },
      ],
      [
        'TLS that is ended with a certificate of a resolver',
        { rule: 'HostSNI(`*`)', tls: 'true', 'tls.certresolver': 'other' },
        { reqMode: 'tls', entryPorts: ['ssl'] },
      ],
      [
        'TLS that requests client certificates',
        { rule: 'HostSNI(`db.example`)', tls: 'true', 'tls.options': 'mtls@file' },
        undefined,
      ],
      [
        'TLS at an entrypoint without',
        { rule: 'HostSNI(`db.example`)', entrypoints: 'web', 'tls.passthrough': 'true' },
        undefined,
      ],
      ['a name without TLS', { rule: 'HostSNI(`db.example`)', entrypoints: 'db' }, undefined],
      ['addresses', { rule: 'ClientIP(`10.0.0.0/8`)', entrypoints: 'db' }, undefined],
      [
        'an address list, and a limit of connections',
        { rule: 'HostSNI(`*`)', entrypoints: 'db', middlewares: 'staff@swarm, few' },
        {
          middlewares: [
            { kind: 'ipAllowList', sourceRange: ['10.0.0.0/8', '192.168.1.7/32'] },
            { kind: 'inFlightConn', amount: 3 },
          ],
        },
      ],
      [
        'a list of version 2 where TLS is ended',
        { rule: 'HostSNI(`db.example`)', tls: 'true', middlewares: 'old' },
        { reqMode: 'tls', middlewares: [{ kind: 'ipAllowList', sourceRange: ['10.0.0.0/8'] }] },
      ],
      ['a middleware that is missing', { rule: 'HostSNI(`*`)', entrypoints: 'db', middlewares: 'x' }, undefined],
      ['one of HTTP', { rule: 'HostSNI(`*`)', entrypoints: 'db', middlewares: 'auth' }, undefined],
      ['one of another provider', { rule: 'HostSNI(`*`)', entrypoints: 'db', middlewares: 'staff@consul' }, undefined],
      ['a list that cannot be read', { rule: 'HostSNI(`*`)', entrypoints: 'db', middlewares: 'wrong' }, undefined],
      ['one of two kinds', { rule: 'HostSNI(`*`)', entrypoints: 'db', middlewares: 'both' }, undefined],
    ];
    for (const [what, labels, expected] of relayed)
      it(`${what} ${expected === undefined ? 'is not served, with a problem' : 'is served'}`, () => {
        const { destinations, problems } = tcp(labels);
        if (expected === undefined) {
          expect(destinations).to.deep.equal([]);
          expect(problems).to.have.length.above(0);
        } else expect(destinations[0]).to.deep.include(expected);
      });
  });

  describe('of several services', () => {
    const auth = { 'middlewares.auth.stripprefix.prefixes': '/a' };

    it('share their middlewares', () => {
      const result = translated([
        service('web', http({ ...router, 'routers.web.middlewares': 'auth@swarm' })),
        service('proxy', http(auth)),
      ]);
      expect(result.get('web')?.destinations[0]?.middlewares).to.have.length(1);
      expect(result.get('proxy')).to.deep.equal({ destinations: [], problems: [] });
    });

    it('lead to each other’s tasks', () => {
      const result = translated([
        service('a', http({ 'routers.a.rule': 'Host(`a.example`)', 'routers.a.service': 'web' })),
        service('web', http(router)),
      ]);
      expect(result.get('a')?.destinations).to.deep.equal([]);
      expect(result.get('web')?.destinations.map(({ rule }) => rule)).to.deep.equal([
        'Host(`a.example`)',
        'Host(`a.example`)',
      ]);
    });

    it('keep the older of two definitions of one name, and report it to the other’s owner', () => {
      const result = translated([
        service(
          'web',
          http({ ...router, 'routers.web.middlewares': 'auth', 'middlewares.auth.stripprefix.prefixes': '/b' }),
          {
            createdAt: '2026-02-01T00:00:00Z',
          },
        ),
        service('proxy', http(auth), { createdAt: '2026-01-01T00:00:00Z' }),
      ]);
      expect(result.get('web')?.destinations[0]?.middlewares).to.deep.equal([
        { kind: 'stripPrefix', prefixes: ['/a'] },
      ]);
      expect(result.get('web')?.problems.map(({ reason }) => reason)).to.deep.equal(['traefik-name-taken']);
      expect(result.get('proxy')?.problems).to.deep.equal([]);
    });

    it('may define one name alike', () => {
      const result = translated([
        service('web', http({ ...router, ...auth, 'routers.web.middlewares': 'auth' })),
        service('proxy', http(auth)),
      ]);
      expect(result.get('web')?.problems).to.deep.equal([]);
    });

    it('take nothing from one that has an unknown label, or whose labels hold names only', () => {
      const requested = service('web', http({ ...router, 'routers.web.middlewares': 'auth' }));
      const rejected = translated([requested, service('proxy', { ...http(auth), 'traefik.http.routers.x.rul': 'y' })]);
      expect(rejected.get('web')?.destinations[0]?.middlewares?.[0]?.kind).to.equal('unsupported');
      const off = translated([
        service('web', http(router), { namesOnly: true }),
        service('b', http({ 'routers.b.rule': 'Host(`b`)', 'routers.b.service': 'web' })),
      ]);
      expect(off.get('web')?.destinations).to.deep.equal([]);
    });

    // [what is wrong beside it, labels, reasons of the problems in order]
    const faults: readonly (readonly [string, Labels, readonly string[]])[] = [
      ['a rule that cannot be read', { 'routers.b.rule': 'Host(' }, ['label-unknown', 'rule-unreadable']],
      ['an unknown entrypoint', { 'routers.b.entrypoints': 'x' }, ['label-unknown', 'entrypoint-unknown']],
      ['a middleware that is missing', { 'routers.b.middlewares': 'x' }, ['label-unknown', 'middleware-unusable']],
      ['a middleware without a router', auth, ['label-unknown', 'middleware-unused']],
      ['a wrong port', { 'services.web.loadbalancer.server.port': '0' }, ['label-unknown', 'label-value-invalid']],
      ['a second unknown label', { 'routers.b.tlss': 'x' }, ['label-unknown', 'label-unknown']],
      // What follows from the unknown label alone is no other fault.
      ['nothing', {}, ['label-unknown']],
      [
        'a misspelt middleware that is named',
        { 'routers.b.middlewares': 'm', 'middlewares.m.basicaut.users': 'x' },
        ['label-unknown', 'label-unknown'],
      ],
    ];
    for (const [what, labels, reasons] of faults)
      it(`have every fault reported at once: an unknown label, and ${what}`, () => {
        const given = http({ ...router, 'routers.b.rule': 'Host(`b.example`)', 'routers.a.rul': 'x', ...labels });
        const translation = translated([service('web', given)]).get('web');
        expect(translation?.destinations).to.deep.equal([]);
        expect(translation?.problems.map(({ reason }) => reason)).to.deep.equal(reasons);
      });

    it('are notified of middlewares that no router names', () => {
      const { problems } = one({ ...router, ...auth });
      expect(problems.map(({ reason, severity }) => [reason, severity])).to.deep.equal([
        ['middleware-unused', 'warning'],
      ]);
    });
  });

  it('take a service where Traefik would', () => {
    const constraint = readConstraint('Label(`a`, `b`) && !LabelRegex(`c`, `^x`)');
    if (!constraint.ok) throw new Error(constraint.message);
    const requested = (labels: Labels, more: Partial<TraefikOptions> = {}) =>
      isForTraefik(labels, { exposedByDefault: false, ...more });
    const cases: readonly (readonly [boolean, boolean])[] = [
      [requested({ 'traefik.enable': 'true' }), true],
      [requested({ 'Traefik.Enable': 'TRUE' }), true],
      [requested({ 'traefik.enable': 'false' }, { exposedByDefault: true }), false],
      [requested({ 'traefik.http.routers.a.rule': 'x' }), false],
      [requested({ 'traefik.http.routers.a.rule': 'x' }, { exposedByDefault: true }), true],
      [requested({}, { exposedByDefault: true }), false],
      [requested({ 'traefik.enable': 'true', a: 'b' }, { constraint: constraint.holds }), true],
      [requested({ 'traefik.enable': 'true', a: 'b', c: 'xy' }, { constraint: constraint.holds }), false],
      [requested({ 'traefik.enable': 'true' }, { constraint: constraint.holds }), false],
    ];
    expect(cases.map(([taken]) => taken)).to.deep.equal(cases.map(([, expected]) => expected));
    for (const wrong of [
      '',
      'Label(`a`)',
      'Label(`a`,`b`) Label(`a`,`b`)',
      'Labels(`a`,`b`)',
      '(Label(`a`,`b`)',
      'LabelRegex(`a`,`(`)',
    ])
      expect(readConstraint(wrong).ok, wrong).to.equal(false);
  });
});
