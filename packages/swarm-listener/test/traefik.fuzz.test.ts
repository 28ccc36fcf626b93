import {
  generalKeys,
  middlewareKeys,
  readConstraint,
  readDynamicFile,
  readTraefikArgs,
  routerKeys,
  serviceKeys,
  tcpRouterKeys,
  tcpServiceKeys,
  traefikLines,
} from '@swarmgate/labels/traefik';
import { checkDefinition } from '@swarmgate/registry';
import { readSettings } from '@swarmgate/runtime';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { familiesOf } from '../src/labels/label-families.ts';
import { createTraefikFlags } from '../src/labels/traefik-flags.ts';
import { createTranslator } from '../src/labels/translator.ts';
import type { SwarmService } from '../src/swarm/swarm-objects.ts';
import { type SwarmView, viewOf } from '../src/swarm/swarm-view.ts';
import { aNode, aService } from './swarm-fixtures.ts';

const seed = 20_261_128;
const names = ['a', 'b', 'a@file', 'a@swarm', 'x.y', '__proto__', ''];
const index = (key: string, at: number, name: string) => key.replace('[n]', `[${at}]`).replace('*', name);
const name = fc.constantFrom(...names);
const key = fc
  .tuple(
    fc.oneof(
      ...(
        [
          ['http.routers', routerKeys],
          ['http.services', serviceKeys],
          ['tcp.routers', tcpRouterKeys],
          ['tcp.services', tcpServiceKeys],
        ] as const
      ).map(([section, keys]) =>
        fc.constantFrom(...keys.map((each) => each.key)).map((each) => [`${section}.`, `.${each}`] as const),
      ),
      fc
        .constantFrom(...Object.entries(middlewareKeys))
        .chain(([kind, keys]) => fc.constantFrom(...keys, '').map((each) => `${kind}.${each}`))
        .map((each) => ['http.middlewares.', `.${each}`] as const),
      fc.constantFrom(...generalKeys.map((each) => each.key)).map((each) => [each, ''] as const),
      fc.string({ maxLength: 20 }).map((each) => [each, ''] as const),
    ),
    name,
    fc.nat(3),
  )
  .map(([[before, behind], of, at]) => `traefik.${before}${behind === '' ? '' : of}${index(behind, at, of)}`);
const value = fc.oneof(
  fc.constantFrom(
    'true',
    'false',
    '80',
    'Host(`a.example`)',
    'Host(`a`) && (PathPrefix(`/b`) || !Method(`GET`))',
    'HostRegexp(`{x:[a-z]+}`)',
    'HostSNI(`*`)',
    'web,websecure',
    'a,b@swarm,a@file',
    '10.0.0.0/8,::1',
    'user:$apr1$x$y',
    '1s',
    'NetworkErrorRatio() > 0.5',
    'http://b:80',
    '^/a/(.*)',
    '/$1${2}',
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.stringMatching(/^[a-zA-Z0-9 ,:;.*/%{}[\]()`&|!'"\\$^-]{0,40}$/),
);
const labels = fc.dictionary(key, value, { maxKeys: 20 });
/** Enough that something is served. */
const served = {
  'traefik.enable': 'true',
  'traefik.http.routers.a.rule': 'Host(`a.example`)',
  'traefik.http.services.a.loadbalancer.server.port': '80',
};

const flag = fc.oneof(
  fc.constantFrom(
    '--entrypoints.web.address=:80',
    '--entrypoints.a.address=127.0.0.1:9/udp',
    '--entrypoints.a.address',
    ':8443',
    '--entrypoints.web.http.middlewares=a@swarm,b@file',
    '--entrypoints.web.http.redirections.entrypoint.to=websecure',
    '--entrypoints.a.http.tls.options=x',
    '--providers.swarm.exposedbydefault=false',
    '--providers.swarm.constraints=Label(`a`,`b`) || !LabelRegex(`c`,`d`)',
    '--providers.file.directory=/x',
    '--certificatesresolvers.le.acme.email=a@b',
    '--certificatesresolvers.le.acme.dnschallenge.provider=x',
    '--configFile=/x',
    'sh',
    '-c',
  ),
  fc
    .tuple(
      fc.constantFrom('--entrypoints.', '--providers.', '--certificatesresolvers.', 'TRAEFIK_ENTRYPOINTS_', '-'),
      fc.string({ maxLength: 30 }),
      value,
    )
    .map(([before, option, given]) => `${before}${option}=${given}`),
  fc.string({ unit: 'binary', maxLength: 60 }),
);

describe('labels, flags and files of Traefik, whatever they say', () => {
  const naming = { notifyLabel: 'com.df.notify', serviceNamePrefix: '', owner: 'swarm', separator: ',' };
  const networks = [{ id: 'net-1', name: 'proxy', ingress: false }];

  const taken = (services: readonly SwarmService[], env: Readonly<Record<string, string>> = {}) => {
    const settings = readSettings('listener', { env: { LABELS: 'df,traefik', ...env }, secretsDir: '/nowhere' });
    const flags = createTraefikFlags(settings, false);
    const translator = createTranslator(
      { ...naming, ...familiesOf(settings), traefikFlags: (view: SwarmView) => flags.take(view) },
      { onProblems: () => undefined },
    );
    const view = viewOf({ swarmId: 'swarm-1', services, tasks: [], nodes: [aNode()], networks });
    return translator.take({ view, changed: 'all', cause: 'listing' }, new Date(0)).services;
  };

  it('give definitions that pass their check, or problems, and never throw', () => {
    fc.assert(
      fc.property(labels, labels, fc.array(flag, { maxLength: 6 }), (one, other, args) => {
        const services = [
          aService({ id: 'one', name: 'one', labels: { ...served, ...one } }),
          aService({ id: 'other', name: 'other', labels: { ...served, ...other } }),
          aService({ id: 'traefik', name: 'traefik', labels: {}, traefik: { args, environment: args } }),
        ];
        for (const [service, { definition, problems }] of taken(services)) {
          for (const { message } of problems) expect(message).to.be.a('string').that.is.not.equal('');
          if (definition === undefined) continue;
          const travelled: unknown = JSON.parse(JSON.stringify(definition));
          expect(checkDefinition(travelled, definition), service).to.deep.equal({ ok: true, definition: travelled });
        }
      }),
      fuzzRuns(300, seed),
    );
  });

  it('are flags that give settings which can be read, or problems', () => {
    fc.assert(
      fc.property(fc.array(flag, { maxLength: 10 }), (args) => {
        const read = readTraefikArgs(traefikLines(args, args));
        readTraefikArgs(args.join('\n'));
        for (const { setting } of read.settings) expect(setting).to.match(/^[A-Z0-9_]+=/);
        for (const { message, suggestion } of read.problems)
          expect([typeof message, typeof suggestion]).to.deep.equal(['string', 'string']);
      }),
      fuzzRuns(2_000, seed),
    );
  });

  it('are constraints that hold or do not', () => {
    const piece = fc.oneof(
      fc.constantFrom('Label(`a`,`b`)', 'LabelRegex(`a`,`^b$`)', '&&', '||', '!', '(', ')'),
      value,
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const read = readConstraint(pieces.join(' '));
        if (read.ok) expect(read.holds({ a: 'b' })).to.be.a('boolean');
        else expect(read.at).to.be.a('number');
      }),
      fuzzRuns(2_000, seed),
    );
  });

  it('are a dynamic file, as JSON, which YAML is, of any keys', () => {
    const tree = fc.letrec<{ readonly node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 5, withCrossShrink: true },
        value,
        fc.boolean(),
        fc.integer(),
        fc.constant(null),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            'rule',
            'service',
            'middlewares',
            'tls',
            'loadBalancer',
            'servers',
            'url',
            'chain',
            'a',
            '<<',
            'constructor',
          ),
          tie('node'),
          { maxKeys: 4 },
        ),
      ),
    })).node;
    const section = fc.constantFrom(
      'routers',
      'services',
      'middlewares',
      'options',
      'certificates',
      'other',
      '__proto__',
    );
    const file = fc.dictionary(
      fc.constantFrom('http', 'tcp', 'udp', 'tls', 'other', 'constructor', '__proto__'),
      fc.oneof(fc.dictionary(section, fc.oneof(fc.dictionary(name, tree, { maxKeys: 3 }), tree), { maxKeys: 3 }), tree),
      { maxKeys: 3 },
    );
    fc.assert(
      fc.property(file, (content) => {
        const read = readDynamicFile(JSON.stringify(content), 'file.yml');
        if (!read.ok) expect(read.problem.message).to.match(/^file\.yml/);
      }),
      fuzzRuns(2_000, seed),
    );
  });
});
