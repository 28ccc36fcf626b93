import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { Registry as Metrics } from 'prom-client';
import { prepareInProcessServer } from '../../../packages/proxy/src/control/serving/in-process-server.ts';
import { snapshotPath, writeSnapshotFile } from '../../../packages/proxy/src/control/watch/snapshot-file.ts';
import { prepareClusterServer } from '../../../packages/proxy/src/control/workers/cluster-server.ts';
import type { ServedService } from '../../../packages/proxy/src/model/served-service.ts';
import { hostOf, services } from '../forwarding/cases.ts';
import type { SubjectMessage, SubjectOrder } from './subject-process.ts';

// The process that is measured: the proxy's server, as `WORKERS` says, with a table of 10,000 services that lead
// to one backend. It receives orders over its channel, and ends with it.
const [backendPort, size = services] = process.argv.slice(2).map(Number);
const settings = readSettings('proxy', { env: process.env });
const server = await (settings.workers === 0 ? prepareInProcessServer : prepareClusterServer)({
  settings,
  logger: silentLogger,
  metrics: new Metrics(),
  env: process.env,
  entrypoints: [{ port: 0, secure: process.env.FOOTPRINT_SECURE === 'true' }],
  host: '127.0.0.1',
});

const send = (message: SubjectMessage) => process.send?.(message);
process.on('message', (order: SubjectOrder) => {
  const work = 'swaps' in order ? swapAtRate(order.swaps) : writeSnapshot();
  void work.then(() => send({ kind: 'done' }));
});
process.once('disconnect', () => void server.stop().then(() => process.exit(0)));

let revision = 0;
const served = new Map(Array.from({ length: size }, (_, at) => service(at, '/')));
await apply(served);
await server.open();
const workers = server.workers().map(({ pid }) => pid);
send({ kind: 'serving', port: server.entrypoints()[0]?.port ?? 0, pid: workers[0] ?? process.pid, workers });

/** One service of the many is another one than before, 100 times a second. */
async function swapAtRate(times: number): Promise<void> {
  for (let at = 0; at < times; at++) {
    await Promise.all([apply(new Map([service(1 + ((at * 7) % (size - 1)), `/changed-${at}`)])), pause(10)]);
  }
}

function writeSnapshot(): Promise<void> {
  const snapshot = { registryId: 'bench', revision: String(revision), sequence: revision };
  const services = [...served.values()];
  return writeSnapshotFile(snapshotPath(settings.dataDir, 'bench'), 'bench', { ...snapshot, services }, Date.now());
}

function apply(changes: ReadonlyMap<ServiceKey, ServedService>): Promise<void> {
  revision += 1;
  return server.apply({
    revision: String(revision),
    sequence: revision,
    registryId: 'bench',
    changes,
    rejected: new Map(),
  });
}

function service(at: number, path: string): [ServiceKey, ServedService] {
  const name = `service-${at}`;
  const key: ServiceKey = `manual/${name}`;
  const definition: ServiceDefinition = {
    version: 1,
    service: name,
    owner: 'manual',
    source: { kind: 'rest', by: 'bench' },
    updatedAt: '2026-01-01T00:00:00.000Z',
    destinations: [
      {
        index: 0,
        since: 0,
        servicePath: [path],
        serviceDomain: [hostOf(at)],
        port: backendPort ?? 0,
        outboundHostname: '127.0.0.1',
      },
    ],
  };
  return [key, { key, definition, endpoints: undefined, origin: 'registry', addressesFresh: true }];
}
