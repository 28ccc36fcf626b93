import { serviceBounds, translateParameters } from '@swarmgate/labels';
import { readTraefikLabels, translateTraefik } from '@swarmgate/labels/traefik';
import { expect } from 'chai';
import { definitionOf } from '../../test/sample-definition.ts';
import { checkDefinition } from './check-definition.ts';
import { createSealer } from './seal.ts';

/** What each reader of definitions makes of one beyond a bound: reasons, and whether anything is served. */
interface Outcome {
  readonly reasons: readonly string[];
  readonly isServed: boolean;
}

const numbered = (count: number, text: (at: number) => string) => Array.from({ length: count }, (_, at) => text(at));

function byLabels(labels: Readonly<Record<string, string>>): Outcome {
  const { definition, problems } = translateParameters(
    { serviceName: 'shop', port: '80', ...labels },
    { owner: 'swarm', separator: ',', source: { kind: 'rest', by: 'a test' }, updatedAt: '', nowMs: 1 },
  );
  return { reasons: problems.map(({ reason }) => reason), isServed: definition !== undefined };
}

function byDocument(destination: object): Outcome {
  const { destinations, ...rest } = definitionOf('swarm', 'shop');
  const document = { ...rest, destinations: destinations.map((each) => ({ ...each, ...destination })) };
  const checked = checkDefinition(document, { owner: 'swarm', service: 'shop' });
  return { reasons: checked.ok ? [] : checked.problems.map(({ reason }) => reason), isServed: checked.ok };
}

function byTraefik(labels: Readonly<Record<string, string>>): Outcome {
  const all = {
    'traefik.http.services.web.loadbalancer.server.port': '80',
    ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`traefik.http.${name}`, value])),
  };
  const found = translateTraefik(
    [{ id: 'web', name: 'web', createdAt: '', labels: all, read: readTraefikLabels(all), targetPorts: [] }],
    { exposedByDefault: false, entrypoints: new Map([['web', ['plain']]]), defaultRule: '', issuers: [] },
    1,
  ).get('web');
  return {
    reasons: found?.problems.map(({ reason }) => reason) ?? [],
    isServed: found !== undefined && found.destinations.length > 0,
  };
}

const { hosts, patterns, expressionCost, destinations } = serviceBounds;
/** RE2 writes `x{900}` out 900 times. */
const expression = 'x{900}'.repeat(5);
const expressions = numbered(Math.ceil(expressionCost / 4_500) + 1, () => expression);
const routers = (count: number, rule: (at: number) => string) =>
  Object.fromEntries(numbered(count, (at) => `routers.r${at}.rule`).map((name, at) => [name, rule(at)]));

const cases: readonly (readonly [reader: string, what: string, read: () => Outcome])[] = [
  ['labels', 'hosts', () => byLabels({ serviceDomain: numbered(hosts + 1, (at) => `${at}.example`).join(',') })],
  ['labels', 'paths', () => byLabels({ servicePath: numbered(patterns + 1, (at) => `/${at}`).join(',') })],
  [
    'labels',
    'rewrites',
    () => byLabels({ servicePath: '/', reqPathSearchReplace: numbered(patterns + 1, () => 'a,b').join(':') }),
  ],
  ['labels', 'cost of expressions', () => byLabels({ pathType: 'path_reg', servicePath: expressions.join(',') })],
  [
    'labels',
    'pairs of host and path',
    () =>
      byLabels({
        serviceDomain: numbered(201, (at) => `${at}.example`).join(','),
        servicePath: numbered(100, (at) => `/${at}`).join(','),
      }),
  ],
  ['a document', 'hosts', () => byDocument({ serviceDomain: numbered(hosts + 1, (at) => `${at}.example`) })],
  ['a document', 'paths', () => byDocument({ servicePath: numbered(patterns + 1, (at) => `/${at}`) })],
  [
    'a document',
    'cost of expressions',
    () => byDocument({ reqPathSearchReplace: expressions.map((search) => ({ search, replace: '' })) }),
  ],
  ['Traefik’s labels', 'destinations', () => byTraefik(routers(destinations + 1, (at) => `Path(\`/${at}\`)`))],
  [
    'Traefik’s labels',
    'matchers of rules',
    () => byTraefik(routers(patterns / 100 + 1, () => numbered(100, () => 'Method(`GET`)').join(' || '))),
  ],
  [
    'Traefik’s labels',
    'cost of rules',
    () => byTraefik(routers(expressions.length, () => `PathRegexp(\`${expression}\`)`)),
  ],
];

describe('a service that is too large', () => {
  for (const [reader, what, read] of cases)
    it(`serves nothing and has the reason, by ${reader}: ${what}`, () => {
      const { reasons, isServed } = read();
      expect(reasons).to.include('service-too-large');
      expect(isServed).to.equal(false);
    });

  it('is refused in time, whatever it holds', () => {
    const beganMs = performance.now();
    const labels = { pathType: 'path_reg', servicePath: numbered(15_000, (at) => `^/(a|b)+${at}x{90}`).join(',') };
    expect(byLabels(labels).isServed).to.equal(false);
    expect(performance.now() - beganMs).to.be.below(3_000);
  });

  it('is refused for its passwords: more than 500 in plain', async () => {
    const users = numbered(501, (at) => `u${at}`);
    const definition = { ...definitionOf('swarm', 'shop'), users: users.map((username) => ({ username })) };
    const passwords = new Map(users.map((name) => [name, 'secret']));
    const sealed = await createSealer([]).seal(definition, { passwords }, undefined);
    expect(sealed.ok ? [] : sealed.problems.map(({ reason }) => reason)).to.deep.equal(['service-too-large']);
  });
});
