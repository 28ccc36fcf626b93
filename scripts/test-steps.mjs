// How `npm test` divides its suites so that it stays under half an hour on two cores: steps follow each other, the lanes of a
// step run side by side, the parts of a lane one after the other. Plain data and built-ins of Node 20.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './install.mjs';

/** `npm test` warns of a run that takes longer. */
export const budgetMinutes = 35;

/**
 * Directories and files of the integration suite that neither judge times in milliseconds nor load the machine: two of them run
 * at a time. A directory that is not listed here runs alone, one file after the other.
 */
const besideOthers = [
  'test/integration/acme',
  'test/integration/cli',
  'test/integration/console',
  'test/integration/docker-api',
  'test/integration/http2',
  'test/integration/middleware',
  'test/integration/monitoring',
  'test/integration/package',
  'test/integration/processes',
  'test/integration/redis',
  'test/integration/registry',
  'test/integration/standalone',
  'test/integration/swarm-listener',
];
/** Wait most of their time: they run beside everything that judges no milliseconds. The endings have a part of their own. */
const endings = ['test/integration/proxy/connection-endings.test.ts'];
const waiting = [
  'packages/proxy/src/control/workers/',
  'packages/proxy/test/plugins/',
  'test/integration/consul-ui/',
  'test/integration/grpc/',
  'test/integration/machine/',
  'test/integration/plugins/',
  'test/integration/traefik/',
  'test/integration/workers/',
];
const alone = [
  'test/integration/registry/large-registry.test.ts',
  'test/integration/standalone/full-disk.test.ts',
  'test/integration/swarm-listener/storm.test.ts',
];

/** Files of the faults suite that have a Consul of their own and no engine: they run beside the Swarm's suites. */
const consulFaults = ['consul-acl', 'consul-cluster', 'leadership', 'orderers', 'registry-in-consul', 'two-swarms'].map(
  (name) => `test/faults/${name}.test.ts`,
);
/** Judge times with thousands of services: alone, at the end. */
const scaleFaults = ['test/faults/scale.test.ts'];

/**
 * @typedef {{ suite: string, title: string, files?: readonly string[], jobs?: number }} Part
 * @returns {readonly (readonly (readonly Part[])[])[]} steps of lanes of parts
 */
export function testSteps(isRequired) {
  const integration = filesBelow('test/integration').filter((file) => !endings.includes(file));
  const beside = integration.filter(
    (file) => besideOthers.some((directory) => file.startsWith(`${directory}/`)) && !alone.includes(file),
  );
  const faults = filesBelow('test/faults');
  const swarmFaults = faults.filter((file) => !consulFaults.includes(file) && !scaleFaults.includes(file));
  const others = [...integration.filter((file) => !beside.includes(file)), ...testsBesideCode('process')];
  const waits = (file) => waiting.some((folder) => file.startsWith(folder));
  /** @type {Part[][][]} */
  const steps = [
    [[{ suite: 'unit', title: 'unit' }]],
    [
      [
        {
          suite: 'integration',
          title: 'integration, two at a time',
          files: [...beside, ...testsBesideCode('fuzz'), ...testsBesideCode('slow')],
          jobs: 2,
        },
        { suite: 'e2e', title: 'e2e' },
        { suite: 'faults', title: 'faults of Swarm', files: swarmFaults },
      ],
      [
        { suite: 'integration', title: 'integration, endings of connections', files: endings },
        { suite: 'faults', title: 'faults of Consul', files: consulFaults },
        { suite: 'integration', title: 'integration, waiting', files: others.filter(waits) },
      ],
    ],
    [
      [
        { suite: 'integration', title: 'integration, alone', files: others.filter((file) => !waits(file)) },
        { suite: 'faults', title: 'scale', files: scaleFaults },
      ],
    ],
  ];
  const chosenLanes = (lanes) => lanes.map((parts) => parts.filter(({ suite }) => isRequired(suite))).filter(isFilled);
  return steps.map(chosenLanes).filter(isFilled);
}

const isFilled = (list) => list.length > 0;

function filesBelow(directory) {
  return readdirSync(join(root, directory), { recursive: true })
    .map((name) => `${directory}/${String(name).replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
}

/** Tests beside the code that are no unit tests: `process` starts some, `fuzz` and `slow` take seconds of the processor. */
function testsBesideCode(kind) {
  return readdirSync(join(root, 'packages')).flatMap((name) =>
    ['src', 'test'].flatMap((folder) => {
      try {
        return filesBelow(`packages/${name}/${folder}`).filter((file) => file.endsWith(`.${kind}.test.ts`));
      } catch {
        return [];
      }
    }),
  );
}
