import { faultsIn, type Mutant } from './mutant.ts';

const listener = 'packages/swarm-listener/src';
const cli = 'packages/cli/src';

/** What a listener decides about the Swarm, and stack files. */
export const listeningMutants: readonly Mutant[] = [
  ...faultsIn(
    `${listener}/swarm/convergence.ts`,
    [`${listener}/swarm/convergence.test.ts`],
    [
      ['an update in progress has converged', "if (service.updateState === 'updating' || ", 'if ('],
      ['a task that stops has converged', " && task.state === 'running');", ');'],
      ['any number of tasks has converged', "service.mode.kind !== 'replicated' || ", 'true || '],
    ],
  ),
  ...faultsIn(
    `${listener}/swarm/debounce.ts`,
    [`${listener}/swarm/debounce.test.ts`],
    [
      ['the first trigger of a burst waits', 'wasQuiet ? firstMs : ', ''],
      [
        'a burst that does not end is never handled',
        'Math.min(lastMs + quietMs, firstMs + mostMs)',
        'lastMs + quietMs',
      ],
    ],
  ),
  ...faultsIn(
    `${listener}/swarm/fast-polled-services.ts`,
    [`${listener}/swarm/fast-polled-services.test.ts`],
    [
      ['a service is dropped before its tasks move', '(isConverged && ageMs >= limits.leastMs)', 'isConverged'],
      ['a service that never converges is polled for ever', 'ageMs >= limits.mostMs || ', ''],
    ],
  ),
  ...faultsIn(
    `${listener}/swarm/swarm-view.ts`,
    [`${listener}/swarm/swarm-view.test.ts`],
    [
      [
        'an older response replaces a service',
        'else if (service.versionIndex >= (next.get(id)?.versionIndex ?? 0)) next',
        'else next',
      ],
      ['hints never expire', 'untilMs > nowMs', 'true'],
      ['the state of a task is no difference', '${task.id} ${task.state} ', '${task.id} '],
    ],
  ),
  ...faultsIn(
    `${listener}/publishing/listing-guard.ts`,
    [`${listener}/publishing/listing-guard.test.ts`],
    [
      ['an older listing is published', 'evidence.highestVersionIndex < highest && ', 'false && '],
      [
        'another Swarm takes services over without the operator',
        'else if (permissions.adoptedSwarmId !== evidence.swarmId)',
        'else if (false)',
      ],
      ['an accepted listing is stale for ever', ' && highest > permissions.acceptedVersionIndex', ''],
    ],
  ),
  ...faultsIn(
    `${listener}/labels/service-endpoints.ts`,
    [`${listener}/labels/service-endpoints.test.ts`],
    [
      ['a task with a terminating container is active', ' && !around.terminating.has(task.id) ? ', ' ? '],
      [
        'a node that is down drains its tasks',
        "if (!shouldRun && around.nodes.get(task.nodeId ?? '')?.state === 'down') return undefined;",
        '',
      ],
      ['an address of the routing mesh is a task’s', '!ingress && (network === undefined', '(network === undefined'],
      ['a port of UDP is published', "service.ports.filter(({ protocol }) => protocol === 'tcp');", 'service.ports;'],
    ],
  ),
  ...faultsIn(
    `${listener}/labels/name-conflicts.ts`,
    [`${listener}/labels/name-conflicts.test.ts`],
    [
      [
        'the newer of two services gets the name',
        'return a < b ? -1 : a > b ? 1 : 0;',
        'return a > b ? -1 : a < b ? 1 : 0;',
      ],
    ],
  ),
  ...faultsIn(
    `${listener}/notifying/notify-changes.ts`,
    [`${listener}/notifying/notify-changes.test.ts`],
    [
      [
        'an unchanged service is notified again',
        'if (before !== undefined && isSame(before.parameters, next.parameters)) continue;',
        '',
      ],
      ['a removed service is not notified', 'if (services.has(id)) continue;', 'continue;'],
    ],
  ),
  ...faultsIn(
    `${cli}/compose/interpolate.ts`,
    [`${cli}/compose/interpolate.test.ts`],
    [
      ['an empty variable takes no default', " || (operator.startsWith(':') && given === '')", ''],
      [
        'a brace in a default ends the reference',
        "if (text[at] === '$' && text[at + 1] === '{') depth += 1;\n    else if",
        'if',
      ],
      ['a `$` that begins nothing passes', 'faults.push(formatFault(text));', ''],
    ],
  ),
  ...faultsIn(
    `${cli}/compose/effects.ts`,
    [`${cli}/compose/effects.test.ts`],
    [
      [
        'an updated service is as new as its update',
        'destinations: definition.destinations.map((each) => ({ ...each, since }))',
        'destinations: definition.destinations',
      ],
      ['a service that is taken over is not listed', ' || from.key === route.key || ', ' || true || '],
    ],
  ),
];
