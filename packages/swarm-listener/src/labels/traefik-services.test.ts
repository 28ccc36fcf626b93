import { controlCharacterIn } from '@swarmgate/labels';
import { readDynamicFile } from '@swarmgate/labels/traefik';
import { expect } from 'chai';
import { aNode, aService, aTask } from '../../test/swarm-fixtures.ts';
import type { Observation } from '../swarm/observation.ts';
import type { SwarmService, SwarmTask } from '../swarm/swarm-objects.ts';
import { viewOf } from '../swarm/swarm-view.ts';
import type { TraefikFileState } from './traefik-services.ts';
import type { TranslatedService } from './translate-service.ts';
import { createTranslator, type Translator } from './translator.ts';

const now = new Date('2026-01-02T03:04:05Z');
const router = {
  'traefik.enable': 'true',
  'traefik.http.routers.web.rule': 'Host(`a.example`)',
  'traefik.http.services.web.loadbalancer.server.port': '80',
};
const withAuth = { ...router, 'traefik.http.routers.web.middlewares': 'auth' };
const auth = { 'traefik.enable': 'true', 'traefik.http.middlewares.auth.ipallowlist.sourcerange': '10.0.0.0/8' };

describe('the translator with labels of Traefik', () => {
  let reported: string[];
  let translator: Translator;
  let version: number;
  const families = ['df', 'traefik'] as const;
  const traefik = {
    exposedByDefault: false,
    entrypoints: new Map([['web', ['plain']]]),
    defaultRule: 'Host(`{{ normalize .Name }}`)',
  };
  const start = (read: readonly ('df' | 'traefik')[] = families, defaults: Readonly<Record<string, string>> = {}) => {
    reported = [];
    version = 10;
    const naming = { notifyLabel: 'com.df.notify', serviceNamePrefix: '', owner: 'swarm', separator: ',' };
    const options = { ...naming, defaults, families: read, ...(read.includes('traefik') ? { traefik } : {}) };
    translator = createTranslator(options, { onProblems: ({ name }) => reported.push(name) });
  };
  beforeEach(() => start());

  const named = (name: string, labels: Readonly<Record<string, string>>, more: Partial<SwarmService> = {}) =>
    aService({ id: name, name, labels, versionIndex: version, ...more });

  function seen(
    services: readonly SwarmService[],
    changed: Observation['changed'] = 'all',
    tasks: readonly SwarmTask[] = [],
  ) {
    const networks = [{ id: 'net-1', name: 'proxy', ingress: false }];
    const view = viewOf({ swarmId: 'swarm-1', services, tasks, nodes: [aNode()], networks });
    return translator.take({ view, changed, cause: 'listing' }, now);
  }

  const destinationOf = (service: TranslatedService | undefined) => service?.definition?.destinations[0];

  it('makes a definition that requires what its rule and middlewares need', () => {
    const service = seen([named('web', withAuth), named('proxy', auth)]).services.get('web');
    expect(service?.definition).to.deep.include({ service: 'web', owner: 'swarm', updatedAt: now.toISOString() });
    expect(destinationOf(service)).to.deep.include({ rule: 'Host(`a.example`)', since: now.getTime(), port: 80 });
    expect(destinationOf(service)?.requires).to.include.members(['rule', 'overrides', 'middlewares']);
  });

  it('translates a service again when a middleware of another one changes', () => {
    seen([named('web', withAuth), named('proxy', auth)]);
    version += 1;
    const changed = named('proxy', { 'traefik.enable': 'true' });
    const result = seen([named('web', withAuth, { versionIndex: 10 }), changed], new Set(['proxy']));
    expect([...(result.changed as ReadonlySet<string>)]).to.have.members(['web', 'proxy']);
    expect(destinationOf(result.services.get('web'))?.middlewares?.[0]?.kind).to.equal('unsupported');
    expect(reported).to.include('web');
  });

  it('withdraws what is not served any more, and keeps its problems', () => {
    const broken = { ...router, 'traefik.http.routers.web.rule': 'Host(`' };
    const service = seen([named('web', broken)]).services.get('web');
    expect(service).to.include({ withdrawn: true }).and.not.have.property('definition');
    expect(service?.problems.map(({ reason }) => reason)).to.deep.equal(['rule-unreadable']);
  });

  // [label before and after the character, value before and after]
  const places: readonly (readonly [string, string])[] = [
    ['traefik.http.routers.web.rule', 'Host(`a.example`) && Path(`/a¤`)'],
    ['traefik.http.routers.web.rule', 'Host(`a.example`) && Header(`X-A`, `b¤`)'],
    ['traefik.http.routers.web.tls.options', 'a¤b'],
    ['traefik.http.routers.web.middlewares', 'au¤th'],
    ['traefik.http.routers.web.entrypoints', 'we¤b'],
    ['traefik.http.routers.web.tls.certresolver', 'l¤e'],
    ['traefik.http.routers.w¤b.rule', 'Host(`b.example`)'],
    ['traefik.http.services.web.loadbalancer.server.url', 'http://10.0.0.7:80/¤'],
    ['traefik.http.services.web.loadbalancer.sticky.cookie.name', 'l¤b'],
    ['traefik.http.services.web.loadbalancer.healthcheck.path', '/h¤'],
    ['traefik.http.middlewares.auth.headers.customrequestheaders.X-A', 'b¤'],
    ['traefik.http.middlewares.auth.headers.customrequestheaders.X-¤A', 'b'],
    ['traefik.http.middlewares.auth.basicauth.realm', 'b¤'],
    ['traefik.http.middlewares.auth.redirectregex.replacement', 'http://a/¤'],
    ['traefik.http.middlewares.auth.addprefix.prefix', '/a¤'],
    ['traefik.http.middlewares.a¤h.addprefix.prefix', '/a'],
    ['traefik.tcp.routers.web.rule', 'HostSNI(`a¤`)'],
  ];
  const controls = [...Array.from({ length: 32 }, (_each, code) => String.fromCharCode(code)), '\x7f'];
  for (const [label, value] of places)
    it(`lets no control character of ${label.replace('¤', '…')}=${value.replace('¤', '…')} into a definition`, () => {
      for (const control of controls) {
        if (control === '\t') continue;
        start();
        const name = label.replace('¤', control);
        const own = name.includes('middlewares.') ? { ...withAuth, [name]: value } : { ...router, [name]: value };
        const labels = { ...own, [name]: value.replace('¤', control) };
        const definition = seen([named('web', labels)]).services.get('web')?.definition;
        expect(controlCharacterIn(definition), JSON.stringify(control)).to.equal(undefined);
      }
    });

  it('reports a control character', () => {
    const labels = { ...router, 'traefik.http.routers.web.tls.options': 'a\0b' };
    const service = seen([named('web', labels)]).services.get('web');
    expect(service).to.not.have.property('definition');
    expect(service?.problems.map(({ reason }) => reason)).to.include('label-value-invalid');
  });

  it('leaves out what is off, scaled to zero or a job, whose names still hold', () => {
    const off = { ...router, 'traefik.enable': 'false' };
    expect([...seen([named('web', off)]).services.keys()]).to.deep.equal([]);
    start();
    const zero = named('proxy', { ...auth, ...router }, { mode: { kind: 'replicated', replicas: 0 } });
    const { services } = seen([
      zero,
      named('shop', {
        ...withAuth,
        'traefik.http.routers.web.service': 'shop',
        'traefik.http.services.shop.loadbalancer.server.port': '1',
      }),
    ]);
    expect([...services.keys()]).to.not.include('proxy');
  });

  it('gives labels of DEFAULT_<LABEL> to its services too, and serves none where these cannot be read', () => {
    start(families, { ALLOWED_ADDRESSES: '10.0.0.0/8', DENY_HTTP: 'true' });
    const service = seen([named('web', router)]).services.get('web');
    expect(service?.definition).to.deep.include({ allowedAddresses: ['10.0.0.0/8'], requires: ['allow-list'] });
    expect(destinationOf(service)).to.deep.include({ denyHttp: true, rule: 'Host(`a.example`)', port: 80 });
    start(families, { ALLOWED_ADDRESSES: '10.0.0.0/33' });
    expect(seen([named('web', router)]).services.get('web')).to.include({ withdrawn: true });
  });

  it('leads to tasks over shared networks only, after a change of its tasks too', () => {
    const ports = [{ protocol: 'tcp', target: 80, published: 8080, mode: 'ingress' }] as const;
    const task = aTask({ serviceId: 'web' });
    const first = seen([named('web', router, { ports })], 'all', [task]).services.get('web');
    expect(first?.endpoints).to.deep.include({ tasksOnly: true, published: [] });
    expect(first?.problems).to.deep.equal([]);
    const second = { ...task, id: 'task-2' };
    const result = seen([named('web', router, { ports })], new Set(['web']), [task, second]).services.get('web');
    expect(result?.endpoints).to.deep.include({ tasksOnly: true, published: [] });
    expect(result?.endpoints.tasks).to.have.length(2);
  });

  it('reports a network that a label names and the service has not joined, and a service without any', () => {
    const requested = { ...router, 'traefik.docker.network': 'web' };
    expect(seen([named('web', requested)]).services.get('web')?.problems[0]).to.deep.include({
      reason: 'network-not-joined',
      suggestion: 'add web to its networks, or set traefik.docker.network to proxy',
    });
    start();
    const ports = [{ protocol: 'tcp', target: 80, published: 8080, mode: 'ingress' }] as const;
    const alone = seen([named('web', router, { ports, networks: [] })]).services.get('web');
    expect(alone?.problems.map(({ reason }) => reason)).to.deep.equal(['network-not-shared']);
  });

  it('reads com.df.* where both are requested', () => {
    const both = { ...router, 'com.df.notify': 'true', 'com.df.servicePath': '/df', 'com.df.port': '81' };
    expect(destinationOf(seen([named('web', both)]).services.get('web'))).to.deep.include({
      servicePath: ['/df'],
      port: 81,
    });
  });

  it('reads one family alone where LABELS names one', () => {
    const both = [
      named('web', router),
      named('df', { 'com.df.notify': 'true', 'com.df.servicePath': '/', 'com.df.port': '1' }),
    ];
    start(['df']);
    expect([...seen(both).services.keys()]).to.deep.equal(['df']);
    start(['traefik']);
    expect([...seen(both).services.keys()]).to.deep.equal(['web']);
  });

  describe('with TRAEFIK_FILE', () => {
    const fileOf = (text: string): TraefikFileState => {
      const read = readDynamicFile(text, 'dynamic.yml');
      return read.ok ? { file: read.file, problems: read.file.problems } : { problems: [read.problem] };
    };
    const allowList = 'http:\n  middlewares:\n    auth:\n      ipAllowList: { sourceRange: [10.0.0.0/8] }\n';
    const outside = `${allowList}  routers:
    legacy: { rule: Host(\`old.example\`), service: legacy, middlewares: [auth] }
  services:
    legacy: { loadBalancer: { servers: [{ url: "http://10.0.0.7:8080" }] } }
`;
    const requested = { ...router, 'traefik.http.routers.web.middlewares': 'auth@file' };
    let state: TraefikFileState;
    beforeEach(() => {
      reported = [];
      version = 10;
      const naming = { notifyLabel: 'com.df.notify', serviceNamePrefix: '', owner: 'swarm', separator: ',' };
      translator = createTranslator(
        { ...naming, families, traefik, traefikFile: () => state },
        { onProblems: ({ name }) => reported.push(name) },
      );
    });
    const kindsOf = (service: TranslatedService | undefined) =>
      destinationOf(service)?.middlewares?.map(({ kind }) => kind);

    it('translates again what names it when it changes, and only then', () => {
      state = fileOf('');
      expect(kindsOf(seen([named('web', requested)]).services.get('web'))).to.deep.equal(['unsupported']);
      state = fileOf(allowList);
      const next = seen([named('web', requested)], new Set());
      expect(kindsOf(next.services.get('web'))).to.deep.equal(['ipAllowList']);
      expect([...(next.changed as ReadonlySet<string>)]).to.include('web');
      const same = seen([named('web', requested)], new Set());
      expect([...(same.changed as ReadonlySet<string>)]).to.deep.equal([]);
    });

    it('is a service of its own for what it leads to beside the Swarm, and goes with it', () => {
      state = fileOf(outside);
      const own = seen([]).services.get('traefik-file');
      expect(destinationOf(own)).to.deep.include({ outboundHostname: '10.0.0.7', port: 8080 });
      expect(own?.definition?.destinations[0]?.requires).to.include('middlewares');
      expect(seen([]).services.get('traefik-file')).to.equal(own);
      state = fileOf('');
      expect([...seen([]).services.keys()]).to.deep.equal([]);
    });

    it('has its problems reported with their place', () => {
      state = fileOf(outside.replace('Host(`old.example`)', 'Host(`old.example`'));
      const [problem] = seen([]).services.get('traefik-file')?.problems ?? [];
      expect(problem?.message).to.match(/^dynamic\.yml:6: the rule of the router legacy@file/);
      expect(reported).to.deep.equal(['traefik-file']);
    });

    it('leaves what is registered as it is, and publishes nothing, while no version could be read: it may restrict', () => {
      const demanding = 'tls:\n  options:\n    default: { clientAuth: { caFiles: [ca.pem] } }\n';
      const secure = { ...router, 'traefik.http.routers.web.tls': 'true' };
      state = fileOf(demanding);
      expect(kindsOf(seen([named('web', secure)]).services.get('web'))).to.deep.equal(['unsupported']);
      state = fileOf(`${demanding}http: [`);
      const { services } = seen([named('web', secure)]);
      for (const name of ['web', 'traefik-file']) {
        const service = services.get(name);
        expect(service, name).to.not.have.any.keys('definition', 'withdrawn');
        expect(service?.problems.map(({ reason }) => reason)).to.deep.equal(['traefik-file-unreadable']);
      }
      state = fileOf('');
      expect(destinationOf(seen([named('web', secure)]).services.get('web'))).to.not.equal(undefined);
    });
  });

  it('takes a service away that lost its labels', () => {
    seen([named('web', router)]);
    version += 1;
    const result = seen([named('web', {})], new Set(['web']));
    expect([...(result.changed as ReadonlySet<string>)]).to.deep.equal(['web']);
    expect([...result.services.keys()]).to.deep.equal([]);
  });
});
