import { destinationLabels, serviceLabels, translateParameters } from '@swarmgate/labels';
import fc from 'fast-check';
import type { EndpointsDocument } from '../src/definition/endpoints-document.ts';

/** Cases of each kind of document in `npm test`, in the tests of every package: 100,000 at least. */
export const hostileRuns = {
  registry: { definition: 6_000, endpoints: 45_000, others: 14_000, maintenance: 4_000, history: 1_000, beside: 300 },
  /** Of each call of the store. */
  consul: 300,
  served: { documents: 3_000, messages: 2_000, totals: 1_000, reloads: 2_000 },
  snapshots: { files: 100, linesOfOne: 20, heads: 1_000 },
  certificates: { reports: 1_000, readings: 1_500, folder: 300 },
  docker: { service: 3_000, task: 3_000, node: 1_500, network: 500, event: 5_000 },
} as const;

/** A definition with every label of the catalogue that its own example makes valid. */
export function completeDefinition(owner: string, service: string): Record<string, unknown> {
  const context = {
    owner,
    service,
    separator: ',',
    source: { kind: 'rest', by: 'a test' },
    updatedAt: '2026-01-02T03:04:05.000Z',
    nowMs: 1_000,
  } as const;
  const base = { servicePath: '/hostile', serviceDomain: 'hostile.example', port: '8080' };
  let given: Record<string, string> = base;
  for (const entry of [...Object.values(serviceLabels), ...Object.values(destinationLabels)]) {
    const { name, example } = entry;
    // One that is served by HTTP passes through most of the code; the other modes are among the hostile values.
    if (name in base || name === 'reqMode' || name === 'proxyInstanceName') continue;
    const more = { ...given, [name]: example };
    if (translateParameters(more, context).definition !== undefined) given = more;
  }
  const { definition } = translateParameters(given, context);
  if (definition === undefined) throw new Error('the examples of the catalogue make no definition');
  const [destination] = definition.destinations;
  return { ...definition, destinations: [destination, { ...destination, index: 1, servicePath: ['/other'] }] };
}

export function completeEndpoints(owner: string, service: string): EndpointsDocument {
  const task = (n: number) => ({
    taskId: `t${n}`,
    nodeId: 'n1',
    state: 'active' as const,
    addresses: [`10.0.1.${n}/24`, 'fd00::5/64'],
  });
  return {
    version: 1,
    owner,
    service,
    dnsName: service,
    tasks: [task(1), task(2)],
    published: [{ host: '192.0.2.1', port: 30_000, targetPort: 8080 }],
    vip: '10.0.1.99/24',
    network: 'proxy',
  };
}

const deep = (levels: number): unknown => {
  let value: unknown = 'x';
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

/** What people, other versions and attackers put where something else belongs. */
const hostileValues: readonly unknown[] = [
  ...[undefined, null, true, false, 0, -1, 1.5, 65_536, 2 ** 31, 2 ** 53, 1e308, -0],
  ...[
    '',
    ' ',
    '\0',
    'a\0b',
    'a\r\nX-Evil: 1',
    '\u007f',
    '\ud800',
    '\u202e',
    'ü',
    '..',
    '../..',
    'a/../b',
    '/',
    '*',
    '%00',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'x'.repeat(10_000),
    '['.repeat(100),
    '(x?){900}',
    '(a+)+$',
    '^(?=x)',
    '\\',
  ],
  ...[
    '10.0.0.1',
    '10.0.0.1/33',
    '::1',
    '::/0',
    'fe80::1%eth0',
    '999.1.1.1/8',
    '2',
    '1e3',
    'NaN',
    'Infinity',
    'tcp',
    'sni',
  ],
  ...[[], {}, [null], [[]], [''], ['\0'], [{}], [1, 2], { a: 1 }, { '': '' }, { '\0': '\0' }, { length: 5 }],
  ...[Array.from({ length: 300 }, (_, n) => `/p${n}`), deep(20), deep(60), deep(70)],
  JSON.parse('{"__proto__":{"polluted":true}}'),
];

/** Every path into a value, the value itself excluded. */
export function pathsOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [[...path, name], ...pathsOf(inner, [...path, name])]);
}

function replaced(value: unknown, [step, ...rest]: readonly string[], by: unknown): unknown {
  if (step === undefined) return by;
  if (Array.isArray(value))
    return value.flatMap((each, at) => {
      if (String(at) !== step) return [each];
      const now = replaced(each, rest, by);
      return now === undefined ? [] : [now];
    });
  const record = value as Record<string, unknown>;
  const now = replaced(record[step], rest, by);
  const others = Object.entries(record).filter(([name]) => name !== step);
  return Object.fromEntries(now === undefined ? others : [...others, [step, now]]);
}

/** The document with one to three of its fields replaced, taken out or added to. */
export function mutationsOf(document: object): fc.Arbitrary<unknown> {
  const paths = pathsOf(document);
  const value = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...hostileValues) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
    { weight: 1, arbitrary: fc.double() },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  );
  const place = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...paths) },
    { weight: 1, arbitrary: fc.constantFrom('x', '__proto__', 'users', '', 'a.b').map((name) => [name]) },
  );
  return fc
    .array(fc.tuple(place, value), { minLength: 1, maxLength: 3 })
    .map((changes) =>
      changes.reduce<unknown>((now, [path, by]) => (hasPlace(now, path) ? replaced(now, path, by) : now), document),
    );
}

function hasPlace(value: unknown, path: readonly string[]): boolean {
  let present = value;
  for (const step of path.slice(0, -1)) {
    if (typeof present !== 'object' || present === null || !Object.hasOwn(present, step)) return false;
    present = (present as Record<string, unknown>)[step];
  }
  return typeof present === 'object' && present !== null;
}

/** As it stands in a store. `undefined`: JSON cannot say it (a stack overflow of the test itself, or no value). */
export function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** Texts that are no document at all, and ones that only JSON.parse takes. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '{',
  'null',
  '0',
  '"x"',
  '[]',
  '\0',
  '{}{}',
  '\ufeff{}',
  '{"version":1e999}',
  '{"version":1,"version":2}',
  `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
  `{"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
  `{"${'k'.repeat(100_000)}":1}`,
];
