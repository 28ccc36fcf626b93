import { faultsIn, type Mutant } from './mutant.ts';

const middleware = 'packages/proxy/src/middleware/maintenance';
const admin = 'packages/proxy/src/control/admin';
const watch = 'packages/proxy/src/control/watch';
const endpoints = 'packages/proxy/src/endpoints';

/** Maintenance of services and drains of endpoints. */
export const maintenanceMutants: readonly Mutant[] = [
  ...faultsIn(
    `${middleware}/maintenance-in-force.ts`,
    [`${middleware}/maintenance.test.ts`],
    [
      ['maintenance outlives its time', 'nowMs < operator.untilMs ? operator', 'true ? operator'],
      ['an exception does not pass', '|| inForce.isExcepted(clientAddress)', ''],
      [
        'a label of false takes a service down',
        'definition.maintenance === true',
        'definition.maintenance !== undefined',
      ],
      [
        'a removed service stays down',
        'if (down === undefined) this.#down.delete(key);',
        'if (down === undefined) return;',
      ],
    ],
  ),
  ...faultsIn(
    `${middleware}/maintenance-response.ts`,
    [`${middleware}/maintenance.test.ts`],
    [
      ['a cache keeps the page', "'no-store'", "'public'"],
      ['a message is HTML in the page', '<p>${escaped(message)}</p>', '<p>${message}</p>'],
      ['a client that prefers text gets HTML', "[0] === 'text/html'", ".includes('text/html')"],
      ['Retry-After is 0 at the end', 'Math.max(1, Math.ceil(ms / 1_000))', 'Math.floor(ms / 1_000)'],
    ],
  ),
  ...faultsIn(
    `${middleware}/maintenance.ts`,
    [`${middleware}/maintenance.test.ts`],
    [
      ['the step stands before gRPC-Web', "name !== 'grpcWeb'", "name !== ''"],
      ['the page of an earlier maintenance stays', 'before?.down === down', 'before !== undefined'],
    ],
  ),
  ...faultsIn(
    `${endpoints}/endpoint-drains.ts`,
    [`${endpoints}/endpoint-drains.test.ts`],
    [
      ['a drain outlives its task', ' && !isDrainOver(drain, endpoints)', ''],
      ['a drain of one port is one of all', '(drain.port === undefined || drain.port === port)', 'true'],
      ['a drain of everything is silent', 'if (isAnyActive) return', 'if (true) return'],
    ],
  ),
  ...faultsIn(
    `${endpoints}/open-connections.ts`,
    [`${endpoints}/open-connections.test.ts`],
    [
      [
        'a connection that ended is ended again',
        'return () => this.#open.delete(connection);',
        'return () => undefined;',
      ],
    ],
  ),
  ...faultsIn(
    `${admin}/maintenance-plan.ts`,
    [`${admin}/maintenance-plan.test.ts`],
    [
      ['a drain names no task', '...(task === undefined ? {} : { taskId: task.taskId }),', ''],
      ['a drain takes the others along', 'each.host !== host || each.port !== port', 'each.host !== host'],
      ['what ended is kept for ever', '.slice(0, maintenanceBounds.ended)', ''],
      [
        'maintenance whose time was up is ended again',
        '...(maintenance === undefined || isTimeUp ? {}',
        '...(maintenance === undefined ? {}',
      ],
    ],
  ),
  ...faultsIn(
    `${watch}/maintenance-documents.ts`,
    [`${watch}/served-services.test.ts`],
    [
      [
        'a lost registry ends maintenance',
        'if (!isHeld(key) && this.#good.delete(key))',
        'if (this.#good.delete(key))',
      ],
      [
        'an unusable document ends maintenance',
        'if (!found.ok) return before?.ok !== false;',
        'if (!found.ok) return this.#good.delete(key);',
      ],
    ],
  ),
  ...faultsIn(
    `${watch}/served-services.ts`,
    [`${watch}/served-services.test.ts`],
    [
      [
        'a manual service ends the maintenance of the one it replaces',
        'if (serviceOf(other) === service) return document;',
        '',
      ],
      ['maintenance is no change', '    before?.maintenance === now?.maintenance &&\n', ''],
    ],
  ),
  ...faultsIn(
    'packages/registry/src/journal/plan-publication.ts',
    ['packages/registry/src/journal/publish.test.ts'],
    [['maintenance is overwritten', 'if (index !== (present?.index ?? 0)) return', 'if (index < 0) return']],
  ),
];
