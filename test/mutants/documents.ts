import { faultsIn, type Mutant } from './mutant.ts';

const acme = 'packages/acme/src/storage';

/** Documents of every kind, whatever stands in them. */
export const documentMutants: readonly Mutant[] = [
  ...faultsIn(
    `${acme}/documents.ts`,
    [`${acme}/hostile-documents.fuzz.test.ts`],
    [['a moment that no date holds ends every listing', 'z.number().min(-mostTimeMs).max(mostTimeMs)', 'z.number()']],
  ),
  ...faultsIn(
    `${acme}/acme-keys.ts`,
    [`${acme}/hostile-documents.fuzz.test.ts`],
    [['a key in the registry chooses a path on the disk', ' && nameInKey.test(key.slice(end))', '']],
  ),
  ...faultsIn(
    `${acme}/document-folder.ts`,
    [`${acme}/hostile-documents.fuzz.test.ts`],
    [
      [
        'a document whose name is too long costs the others their files',
        'await write(key, value).catch((error: unknown) => faults.push(error));',
        'await write(key, value);',
      ],
    ],
  ),
  ...faultsIn(
    'packages/swarm-listener/src/swarm/parse-objects.ts',
    [
      'packages/swarm-listener/src/swarm/parse-objects.test.ts',
      'packages/swarm-listener/src/swarm/hostile-objects.fuzz.test.ts',
    ],
    [
      ['an object of Docker that cannot be read costs all services', 'faults.push(error);', 'throw error;'],
      ['a new form of Docker’s objects removes every service', ' && read.length === 0 && !ofOne', ' && false'],
    ],
  ),
  ...faultsIn(
    'packages/registry/src/store/consul-responses.ts',
    ['packages/registry/src/store/hostile-responses.fuzz.test.ts'],
    [
      ['an item of Consul without an index is taken for one', 'isIndex(ModifyIndex) &&', ''],
      ['names that are no texts are followed', " || !names.every((name) => typeof name === 'string')", ''],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/control/watch/reload-requests.ts',
    ['packages/proxy/src/control/watch/hostile-reload-requests.fuzz.test.ts'],
    [
      [
        'a reload of any owner is carried out',
        'owner: z.string().refine(isName).optional()',
        'owner: z.string().optional()',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/control/watch/snapshot-file.ts',
    ['packages/proxy/src/control/watch/hostile-snapshots.fuzz.test.ts'],
    [
      [
        'a line of the snapshot that is no JSON costs all services',
        'const parsed = parseJson(line);',
        'const parsed = { ok: true, json: JSON.parse(line) };',
      ],
    ],
  ),
];
