import { faultsIn, type Mutant } from './mutant.ts';

const labels = 'packages/labels/src/definition';
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
];
