import { faultsIn, type Mutant } from './mutant.ts';

const labels = 'packages/labels/src/definition';
const journal = 'packages/registry/src/journal';
const publishing = 'packages/swarm-listener/src/publishing';

/** Bounds of definitions, and what a listener may publish. */
export const publishingMutants: readonly Mutant[] = [
  ...faultsIn(
    `${labels}/check-bounds.ts`,
    [`${labels}/check-bounds.test.ts`],
    [
      ['a service at a bound is refused', 'if (sums[bound] <= most) continue;', 'if (sums[bound] < most) continue;'],
      ['no host counts as no pair', 'Math.max(1, serviceDomain.length) * ', 'serviceDomain.length * '],
      [
        'redirected names are not counted',
        'sums.hosts += serviceDomain.length + redirectFromDomain.length;',
        'sums.hosts += serviceDomain.length;',
      ],
      [
        'exclusions are not counted',
        'const paths = servicePath.length + servicePathExclude.length;',
        'const paths = servicePath.length;',
      ],
      [
        'expressions of rewrites cost nothing',
        'for (const { search } of rewrites) sums.expressionCost += costOf(search);',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${publishing}/listing-guard.ts`,
    [`${publishing}/listing-guard.test.ts`, `${publishing}/evidence-guard.test.ts`],
    [
      [
        'another Swarm takes services over',
        'else if (permissions.adoptedSwarmId !== evidence.swarmId)',
        'else if (false)',
      ],
      [
        'a state of the same age counts as stale',
        'evidence.highestVersionIndex < highest',
        'evidence.highestVersionIndex <= highest',
      ],
      ['an accepted older state stays stale', 'highest > permissions.acceptedVersionIndex', 'highest > 0'],
    ],
  ),
  ...faultsIn(
    'packages/runtime/src/names.ts',
    ['packages/runtime/src/names.test.ts', 'packages/swarm-listener/src/labels/name-conflicts.test.ts'],
    [
      ['two dots in a row are a name', '|\\.(?!\\.))*$/', '|\\.)*$/'],
      ['a name begins with a hyphen', '/^[A-Za-z0-9](?:', '/^[A-Za-z0-9-](?:'],
    ],
  ),
  ...faultsIn(
    'packages/swarm-listener/src/labels/name-conflicts.ts',
    ['packages/swarm-listener/src/labels/name-conflicts.test.ts'],
    [
      ['an unpublishable name is published', ' || !isName(name)', ''],
      ['the younger service gets the name', 'return a < b ? -1 : a > b ? 1 : 0;', 'return a > b ? -1 : a < b ? 1 : 0;'],
    ],
  ),
  ...faultsIn(
    `${journal}/publish.ts`,
    [`${journal}/publish.test.ts`],
    [
      ['an owner is no part of a key', '!isName(change.owner) || ', ''],
      ['a service name is no part of a key', ' || !isName(change.service)', ''],
      ['a service is changed twice at once', 'if (seen.has(service)) throw', 'if (false) throw'],
    ],
  ),
  ...faultsIn(
    `${journal}/plan-publication.ts`,
    [`${journal}/plan-publication.test.ts`],
    [
      ['a transaction has no room for fence and head', 'mostOperations - 2', 'mostOperations'],
      ['a transaction leaves an operation unused', 'mostOperations - 2', 'mostOperations - 3'],
      [
        'a former definition of the largest size is lost',
        'value) > mostHistoryValueBytes',
        'value) >= mostHistoryValueBytes',
      ],
      ['a history of eleven is kept', 'numbers.slice(mostHistoryEntries - 1)', 'numbers.slice(mostHistoryEntries)'],
      ['a long history is taken out at once', '.slice(-2);', ';'],
    ],
  ),
  ...faultsIn(
    `${journal}/head.ts`,
    [`${journal}/head.test.ts`],
    [
      ['a journal of the most keys is cut', 'keys > mostJournalKeys', 'keys >= mostJournalKeys'],
      ['a journal of the most bytes is cut', 'bytes > mostJournalBytes', 'bytes >= mostJournalBytes'],
      ['a journal keeps one entry more', 'kept >= mostJournalEntries', 'kept > mostJournalEntries'],
    ],
  ),
  ...faultsIn(
    'packages/registry/src/store/store-limits.ts',
    ['packages/registry/src/store/store-limits.test.ts'],
    [
      ['an empty transaction is sent', 'operations.length === 0 || ', ''],
      [
        'a transaction has 65 operations',
        'operations.length > mostOperations',
        'operations.length > mostOperations + 1',
      ],
      ['a transaction at its size is refused', 'bytes > mostTransactionBytes', 'bytes >= mostTransactionBytes'],
      ['any key is written', '!keyPattern.test(operation.key)', 'false'],
    ],
  ),
];
