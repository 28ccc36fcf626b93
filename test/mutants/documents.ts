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
];
