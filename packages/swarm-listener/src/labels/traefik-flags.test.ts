import { readSettings } from '@swarmgate/runtime';
import { expect } from 'chai';
import { aNode, aService } from '../../test/swarm-fixtures.ts';
import type { SwarmService, TraefikProcess } from '../swarm/swarm-objects.ts';
import { type SwarmView, viewOf } from '../swarm/swarm-view.ts';
import { familiesOf } from './label-families.ts';
import { createTraefikFlags } from './traefik-flags.ts';
import type { TranslatedService } from './translate-service.ts';
import { createTranslator } from './translator.ts';

const router = {
  'traefik.enable': 'true',
  'traefik.http.routers.web.rule': 'Host(`a.example`)',
  'traefik.http.routers.web.entrypoints': 'web',
  'traefik.http.services.web.loadbalancer.server.port': '80',
};
const auth = { 'traefik.enable': 'true', 'traefik.http.middlewares.auth.ipallowlist.sourcerange': '10.0.0.0/8' };
const closing = ['--providers.swarm.exposedbydefault=false', '--entrypoints.web.http.middlewares=auth@swarm'];

describe('the flags of the Traefik service in the Swarm', () => {
  let version = 10;

  /** A listener that is shown one Swarm after the other. */
  function listener(env: Readonly<Record<string, string>> = {}) {
    const settings = readSettings('listener', { env: { LABELS: 'df,traefik', ...env } });
    const flags = createTraefikFlags(settings, false);
    const naming = { notifyLabel: 'com.df.notify', serviceNamePrefix: '', owner: 'swarm', separator: ',' };
    const translator = createTranslator(
      { ...naming, ...familiesOf(settings), traefikFlags: (view: SwarmView) => flags.take(view) },
      { onProblems: () => undefined },
    );
    return (...services: readonly SwarmService[]) => {
      const networks = [{ id: 'net-1', name: 'proxy', ingress: false }];
      const view = viewOf({ swarmId: 'swarm-1', services, tasks: [], nodes: [aNode()], networks });
      return translator.take({ view, changed: 'all', cause: 'listing' }, new Date(0)).services;
    };
  }

  const named = (name: string, labels: Readonly<Record<string, string>>, more: Partial<SwarmService> = {}) =>
    aService({ id: name, name, labels, versionIndex: version, ...more });
  const traefik = (args: readonly string[], more: Partial<TraefikProcess> = {}, name = 'traefik_traefik') =>
    named(name, {}, { versionIndex: ++version, traefik: { args, environment: [], ...more } });
  const kindsOf = (service: TranslatedService | undefined) =>
    service?.definition?.destinations.map(({ middlewares = [] }) => middlewares.map(({ kind }) => kind).join());
  const reasonsOf = (service: TranslatedService | undefined) => service?.problems.map(({ reason }) => reason);

  const web = named('web', router);
  const owner = named('auth', auth);

  it('put the middlewares of an entrypoint on its routers, and change with the service', () => {
    const see = listener();
    expect(kindsOf(see(web, owner).get('web'))).to.deep.equal(['']);
    expect(kindsOf(see(web, owner, traefik(closing)).get('web'))).to.deep.equal(['ipAllowList']);
    expect(kindsOf(see(web, owner, traefik(closing.slice(0, 1))).get('web'))).to.deep.equal(['']);
  });

  it('redirect all of an entrypoint, where no service is for Traefik too, and end with the flag', () => {
    const see = listener();
    const ofEntrypoints = (services: ReadonlyMap<string, TranslatedService>) =>
      services.get('traefik-entrypoints')?.definition?.destinations.map(({ httpsOnly }) => httpsOnly);
    const redirecting = traefik(['--entrypoints.web.http.redirections.entrypoint.to=websecure']);
    expect(ofEntrypoints(see(redirecting))).to.deep.equal([true]);
    expect(ofEntrypoints(see(web, redirecting))).to.deep.equal([true]);
    expect(ofEntrypoints(see(web, traefik(['--ping'])))).to.equal(undefined);
    expect(ofEntrypoints(listener({ TRAEFIK_WEB_REDIRECT: 'websecure' })())).to.deep.equal([true]);
  });

  it('redirect before a service of the same name is served, which is back when they end', () => {
    const see = listener();
    const redirecting = traefik(['--entrypoints.web.http.redirections.entrypoint.to=websecure']);
    const same = named('traefik-entrypoints', router, { id: 'id-1', createdAt: '2020-01-01T00:00:00Z' });
    const shown = (...services: readonly SwarmService[]) => {
      const found = see(...services).get('traefik-entrypoints');
      return [found?.definition?.destinations.map(({ rule = 'all' }) => rule), reasonsOf(found)];
    };
    expect(shown(same, redirecting)).to.deep.equal([['all'], ['service-name-taken']]);
    expect(shown(same, traefik(['--ping']))).to.deep.equal([['Host(`a.example`)'], []]);
    expect(shown(traefik(['--ping']))).to.deep.equal([undefined, undefined]);
  });

  it('are read of its environment where it has no flags', () => {
    const environment = ['TRAEFIK_ENTRYPOINTS_WEB_HTTP_MIDDLEWARES=auth'];
    expect(kindsOf(listener()(web, owner, traefik([], { environment })).get('web'))).to.deep.equal(['ipAllowList']);
    const both = traefik(['--providers.swarm.exposedbydefault=false'], { environment });
    expect(kindsOf(listener()(web, owner, both).get('web'))).to.deep.equal(['']);
  });

  it('count after settings that are given', () => {
    const see = listener({ TRAEFIK_WEB_MIDDLEWARES: 'none-such', TRAEFIK_EXPOSED_BY_DEFAULT: 'false' });
    const { 'traefik.enable': _, ...unstated } = router;
    const services = see(named('web', router), named('x', unstated), owner, traefik(['--providers.swarm']));
    expect(kindsOf(services.get('web'))).to.deep.equal(['unsupported']);
    expect([...services.keys()]).to.not.include('x');
  });

  it('select services by constraints and by what is exposed', () => {
    const { 'traefik.enable': _, ...unstated } = router;
    const constraint = '--providers.swarm.constraints=Label(`zone`,`public`)';
    const services = listener({ TRAEFIK_SERVICE: 'traefik_traefik' })(
      named('web', { ...unstated, zone: 'public' }),
      named('internal', unstated),
      traefik(['--providers.swarm', constraint]),
    );
    expect([...services.keys()]).to.deep.equal(['web']);
  });

  it('are not read where TRAEFIK_SERVICE is off or names another', () => {
    expect(kindsOf(listener({ TRAEFIK_SERVICE: 'off' })(web, owner, traefik(closing)).get('web'))).to.deep.equal(['']);
    const both = [traefik(closing), traefik(closing.slice(0, 1), {}, 'internal')];
    const see = listener({ TRAEFIK_SERVICE: 'internal' });
    expect(kindsOf(see(web, owner, ...both).get('web'))).to.deep.equal(['']);
  });

  it('close routers with TLS, and those that name its middlewares, where the file of Traefik is not read', () => {
    const secure = named('web', {
      ...router,
      'traefik.http.routers.web.entrypoints': 'web,websecure',
      'traefik.http.routers.of-file.rule': 'Host(`b.example`)',
      'traefik.http.routers.of-file.entrypoints': 'web',
      'traefik.http.routers.of-file.middlewares': 'auth@file',
    });
    const kinds = (env: Record<string, string>, flags: readonly string[]) => {
      const services = listener(env)(secure, traefik(flags));
      const { destinations = [] } = services.get('web')?.definition ?? {};
      return destinations.map(({ rule, entryPorts, middlewares = [] }) =>
        [rule, entryPorts, ...middlewares.map(({ kind }) => kind)].join(' '),
      );
    };
    const plain = ['--providers.swarm.exposedbydefault=false'];
    const file = [...plain, '--providers.file.filename=/etc/traefik/dynamic.yml'];
    const open = 'Host(`a.example`) plain,ssl';
    const ofFile = 'Host(`b.example`) plain unsupported';
    expect(kinds({}, plain)).to.have.members([open, ofFile]);
    expect(kinds({}, file)).to.have.members(['Host(`a.example`) plain', 'Host(`a.example`) ssl unsupported', ofFile]);
    expect(kinds({ TRAEFIK_SERVICE: 'off' }, file)).to.have.members([open, ofFile]);
    const [problem] =
      listener({ TRAEFIK_SERVICE: 'traefik_traefik' })(secure, traefik(file)).get('traefik_traefik')?.problems ?? [];
    expect(problem?.message).to.include('--providers.file.filename=/etc/traefik/dynamic.yml').and.include('503');
    expect(problem?.suggestion).to.include('set TRAEFIK_FILE');
  });

  it('still close what the file of Traefik may restrict when Traefik is gone', () => {
    const see = listener();
    see(web, traefik(['--providers.swarm.exposedbydefault=false', '--providers.file.filename=/a.yml']));
    expect(reasonsOf(see(web).get('web'))).to.include('traefik-service-missing');
  });

  it('are problems of the Traefik service where nothing here is equivalent', () => {
    const see = listener();
    const reported = see(web, traefik(['--providers.consulcatalog'])).get('traefik_traefik');
    expect(reported?.definition).to.equal(undefined);
    expect(reported?.problems.map(({ severity, reason }) => [severity, reason])).to.deep.equal([
      ['error', 'traefik-flag-unsupported'],
    ]);
    const bound = listener({ TRAEFIK_SERVICE: 'traefik_traefik' });
    expect(bound(web, owner, traefik(closing)).get('traefik_traefik')).to.equal(undefined);
    expect(reasonsOf(listener()(web, owner, traefik(closing)).get('traefik_traefik'))).to.deep.equal([
      'traefik-service-unnamed',
    ]);
    expect(see(web, traefik(['--api'])).get('traefik_traefik')).to.equal(undefined);
    const dashboard = { ...router, 'traefik.http.routers.web.rule': 'Host(`t.example`)' };
    const withLabels = { ...traefik(['--providers.consulcatalog']), labels: dashboard };
    const both = see(withLabels).get('traefik_traefik');
    expect(both?.definition?.destinations).to.have.length(1);
    expect(reasonsOf(both)).to.include('traefik-flag-unsupported');
  });

  const unknown: readonly (readonly [
    what: string,
    env: Record<string, string>,
    traefik: () => SwarmService[],
    string,
  ])[] = [
    [
      'two services with different flags',
      {},
      () => [traefik(closing), traefik([], {}, 'two')],
      'traefik-service-ambiguous',
    ],
    [
      'a service that is named and missing',
      { TRAEFIK_SERVICE: 'edge' },
      () => [traefik(closing)],
      'traefik-service-missing',
    ],
    [
      'a static file that is mounted',
      {},
      () => [traefik([], { staticFile: '/etc/traefik/traefik.yml' })],
      'traefik-static-file',
    ],
    ['a static file that a flag names', {}, () => [traefik(['--configFile=/a.toml'])], 'traefik-static-file'],
    [
      'constraints that cannot be read',
      {},
      () => [traefik(['--providers.swarm.constraints=Label(`a`)'])],
      'traefik-flags-unreadable',
    ],
    [
      'a redirect of an entrypoint without address',
      {},
      () => [traefik(['--entrypoints.a.http.middlewares=x'])],
      'traefik-flags-unreadable',
    ],
  ];
  for (const [what, env, services, reason] of unknown)
    it(`leave what is registered as it is, and publish nothing, with ${what}`, () => {
      const { 'traefik.enable': _, ...unstated } = router;
      const seen = listener(env)(web, owner, named('x', unstated), ...services());
      for (const name of ['web', 'x']) {
        expect(seen.get(name), name).to.not.have.any.keys('definition', 'withdrawn');
        expect(reasonsOf(seen.get(name))).to.deep.equal([reason]);
      }
    });

  it('are one where two services have the same', () => {
    const twice = [traefik(closing), traefik(closing, {}, 'green')];
    expect(kindsOf(listener()(web, owner, ...twice).get('web'))).to.deep.equal(['ipAllowList']);
  });

  it('open nothing when the service goes, unless settings say the same', () => {
    const see = listener();
    see(web, owner, traefik(closing));
    expect(reasonsOf(see(web, owner).get('web'))).to.deep.equal(['traefik-service-missing']);
    expect(see(web, owner).get('web')).to.not.have.any.keys('definition', 'withdrawn');
    expect(kindsOf(see(web, owner, traefik(closing)).get('web'))).to.deep.equal(['ipAllowList']);
    const ready = listener({ TRAEFIK_WEB_MIDDLEWARES: 'auth@swarm', TRAEFIK_EXPOSED_BY_DEFAULT: 'false' });
    ready(web, owner, traefik(closing));
    expect(kindsOf(ready(web, owner).get('web'))).to.deep.equal(['ipAllowList']);
  });
});
