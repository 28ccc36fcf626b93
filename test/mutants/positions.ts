import { faultsIn, type Mutant } from './mutant.ts';

/** Sequences of two registries, which say nothing about each other. */
export const positionMutants: readonly Mutant[] = [
  ...faultsIn(
    'packages/registry/src/session/replica-status.ts',
    ['packages/registry/src/session/presence.test.ts'],
    [
      [
        'a replica that serves a lost registry counts as serving the new one',
        'served.registryId === position.registryId && ',
        '',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/control/bus/cluster.ts',
    ['packages/proxy/src/control/bus/cluster.test.ts'],
    [
      [
        'no hint of a new registry is sent where a former one had its sequence',
        'position.registryId === other?.registryId && position.sequence === other.sequence',
        'position.sequence === other?.sequence',
      ],
    ],
  ),
  ...faultsIn(
    'packages/swarm-listener/src/publishing/registered-services.ts',
    ['packages/swarm-listener/src/publishing/registered-services.test.ts'],
    [
      [
        'own writes to a new registry are compared with the sequence of the lost one',
        ' || before.registryId !== registryId) return before;\n  const ahead = new Map(before.ahead);\n  if (sequence',
        ') return before;\n  const ahead = new Map(before.ahead);\n  if (sequence',
      ],
    ],
  ),
  ...faultsIn(
    'packages/cli/src/commands/status.ts',
    ['packages/cli/src/commands/status.test.ts'],
    [['replicas of two registries are shown as equal', 'registryId !== status.registry.registryId', 'false']],
  ),
  ...faultsIn(
    'packages/console/web/replica-positions.ts',
    ['packages/console/web/replica-positions.test.ts'],
    [
      ['the newest change is one of a lost registry', 'registryId === registry.registryId', 'true'],
      [
        'a replica of a lost registry is shown as ahead',
        "!isOf(status.registry, replica) && replica.registryId !== ''",
        'false',
      ],
      ['a replica that drains is waited for', 'staying.length > 0 ? staying : inUse', 'inUse'],
      ['replicas that drain are not counted where no other is left', 'staying.length > 0 ? staying : inUse', 'staying'],
      [
        'one that read nothing of the registry is not waited for',
        "isOf(registry, each) || each.registryId === ''",
        'isOf(registry, each)',
      ],
    ],
  ),
];
