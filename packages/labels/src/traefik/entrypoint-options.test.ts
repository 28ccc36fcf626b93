import { expect } from 'chai';
import type { Problem } from '../definition/problem.ts';
import type { Destination } from '../definition/service-definition.ts';
import { readEntrypointOptions } from './entrypoint-options.ts';
import { readTraefikLabels } from './read-labels.ts';
import { translateTraefik } from './translate-traefik.ts';

const usual = new Map([
  ['web', ['plain']],
  ['http', ['plain']],
  ['websecure', ['ssl']],
  ['https', ['ssl']],
]);
const numbered = new Map([...usual, ['web', ['80']], ['websecure', ['443:ssl']], ['my-admin', ['9000']]]);

function translated(
  settings: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
  entrypoints: ReadonlyMap<string, readonly string[]> = usual,
): { readonly destinations: readonly Destination[]; readonly problems: readonly Problem[] } {
  const read = readEntrypointOptions(settings, entrypoints);
  if (!read.ok) throw new Error(read.message);
  const all = {
    'traefik.http.routers.web.rule': 'Host(`a.example`)',
    'traefik.http.services.web.loadbalancer.server.port': '80',
    'traefik.http.middlewares.auth.ipallowlist.sourcerange': '10.0.0.0/8',
    'traefik.http.middlewares.own.addprefix.prefix': '/x',
    ...Object.fromEntries(Object.entries(labels).map(([key, value]) => [`traefik.http.routers.web.${key}`, value])),
  };
  const service = { id: 'a', name: 'a', createdAt: '', labels: all, read: readTraefikLabels(all), targetPorts: [] };
  const options = { exposedByDefault: true, entrypoints, defaultRule: 'Host(`x`)', entrypointOptions: read.options };
  const found = translateTraefik([service], options, 0).get('a');
  if (found === undefined) throw new Error('there is no translation');
  return found;
}

/** `80,443:ssl: ipAllowList addPrefix → 308`, one a destination. */
function shown(destinations: readonly Destination[]): readonly string[] {
  return destinations.map(({ entryPorts = [], middlewares = [], httpsOnly, httpsRedirectCode }) =>
    [
      `${entryPorts.join()}:`,
      ...middlewares.map(({ kind }) => kind),
      ...(httpsOnly === true ? [`→ ${httpsRedirectCode}`] : []),
    ].join(' '),
  );
}

describe('what holds for every router of an entrypoint', () => {
  const cases: readonly (readonly [
    what: string,
    settings: Readonly<Record<string, string>>,
    labels: Readonly<Record<string, string>>,
    expected: readonly string[],
    entrypoints?: ReadonlyMap<string, readonly string[]>,
  ])[] = [
    ['nothing', {}, {}, ['plain:']],
    [
      'middlewares before the router’s own',
      { WEB_MIDDLEWARES: 'auth' },
      { middlewares: 'own' },
      ['plain: ipAllowList addPrefix'],
    ],
    [
      'middlewares of one entrypoint alone',
      { WEBSECURE_MIDDLEWARES: 'auth@swarm' },
      { entrypoints: 'web,websecure' },
      ['plain:', 'ssl: ipAllowList'],
    ],
    [
      'another name of the same port',
      { WEBSECURE_MIDDLEWARES: 'auth' },
      { entrypoints: 'https' },
      ['ssl: ipAllowList'],
    ],
    ['both names of one port', { WEB_MIDDLEWARES: 'auth' }, { entrypoints: 'web,http' }, ['plain: ipAllowList']],
    ['a middleware that is not defined', { WEB_MIDDLEWARES: 'missing' }, {}, ['plain: unsupported']],
    ['one of a file that is not given', { WEB_MIDDLEWARES: 'auth@file' }, {}, ['plain: unsupported']],
    ['TLS for a router without it', { WEBSECURE_TLS: 'true' }, {}, ['plain:', 'ssl:']],
    ['TLS at a port of its own', { MY_ADMIN_TLS: 'true' }, { entrypoints: 'my-admin' }, ['9000:ssl:'], numbered],
    ['TLS options', { WEBSECURE_TLS: 'le,options=mtls@file' }, { entrypoints: 'websecure' }, ['ssl: unsupported']],
    [
      'TLS options where the router has TLS of its own',
      { WEBSECURE_TLS: 'le,options=mtls' },
      { entrypoints: 'websecure', tls: 'true' },
      ['ssl:'],
    ],
    [
      'a redirect to where the router is',
      { WEB_REDIRECT: 'websecure' },
      { entrypoints: 'websecure' },
      ['ssl,plain: → 308'],
    ],
    [
      'a redirect of a router of both',
      { WEB_REDIRECT: 'websecure,temporary' },
      { entrypoints: 'web,websecure' },
      ['plain,ssl: → 307'],
    ],
    ['a redirect of a router that is there alone', { WEB_REDIRECT: 'https' }, { entrypoints: 'web' }, ['plain: → 308']],
    [
      'a redirect, and middlewares of its target',
      { WEB_REDIRECT: 'websecure', WEBSECURE_MIDDLEWARES: 'auth' },
      { entrypoints: 'websecure' },
      ['ssl,plain: ipAllowList → 308'],
    ],
    [
      'a redirect of a router without entrypoints',
      { WEB_REDIRECT: 'websecure', WEBSECURE_TLS: 'le' },
      {},
      ['plain,ssl: → 308'],
    ],
    [
      'no redirect of what is elsewhere',
      { WEB_REDIRECT: 'websecure' },
      { entrypoints: 'my-admin' },
      ['9000:'],
      numbered,
    ],
    [
      'options of a port of its own, not of all plain ones',
      { MY_ADMIN_MIDDLEWARES: 'auth' },
      { entrypoints: 'http,my-admin' },
      ['80:', '9000: ipAllowList'],
      numbered,
    ],
    [
      'a flag that closes it',
      { WEB_CLOSED: 'because' },
      { entrypoints: 'web,websecure' },
      ['plain: unsupported', 'ssl:'],
    ],
  ];
  for (const [what, settings, labels, expected, entrypoints] of cases)
    it(`is ${what}`, () => {
      expect(shown(translated(settings, labels, entrypoints).destinations)).to.deep.equal(expected);
    });

  it('is the resolver of routers without TLS of their own', () => {
    const overrides = (labels: Readonly<Record<string, string>>) =>
      translated({ WEBSECURE_TLS: 'le' }, labels).destinations[0]?.overrides;
    expect(overrides({ entrypoints: 'websecure' })).to.equal(undefined);
    expect(overrides({ entrypoints: 'websecure', tls: 'true' })).to.deep.equal({ acme: false });
  });

  it('is names of certificates of routers without TLS of their own', () => {
    const overrides = (labels: Readonly<Record<string, string>>) =>
      translated({ WEBSECURE_TLS: 'le,domain=*.a.example,domain=a.example' }, labels).destinations[0]?.overrides;
    expect(overrides({ entrypoints: 'websecure' })).to.deep.equal({ acmeDomains: ['*.a.example', 'a.example'] });
    expect(overrides({ entrypoints: 'websecure', tls: 'true' })).to.deep.equal({ acme: false });
  });

  it('is reported where its middleware is missing', () => {
    const { problems } = translated({ WEB_MIDDLEWARES: 'auht' }, {});
    expect(problems.find(({ reason }) => reason === 'middleware-unusable')).to.include({
      label: 'TRAEFIK_WEB_MIDDLEWARES',
      suggestion: 'did you mean auth?',
    });
  });

  for (const [setting, value, expected] of [
    ['WEBB_MIDDLEWARES', 'auth', 'no entrypoint webb'],
    ['WEB_MIDDLEWARES', ' , ', 'names of middlewares'],
    ['WEB_REDIRECT', 'http', 'an entrypoint with TLS'],
    ['WEB_REDIRECT', 'websecure,soon', 'an entrypoint with TLS'],
    ['WEB_TLS', 'false', 'the name of a resolver'],
    ['WEB_AS_DEFAULT', 'yes', 'true, or leave it out'],
    ['WEB_TLS', 'a,b', 'the name of a resolver'],
    ['WEBSECURE_REDIRECT', 'https', 'websecure has TLS'],
  ] as const)
    it(`refuses TRAEFIK_${setting}=${value}`, () => {
      const read = readEntrypointOptions({ [setting]: value }, usual);
      expect(!read.ok && read.message).to.contain(expected);
    });
});
