import type { Destination, ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { Registry as Metrics } from 'prom-client';
import { startInProcessServer } from '../../../packages/proxy/src/control/serving/in-process-server.ts';
import type { ServedService } from '../../../packages/proxy/src/model/served-service.ts';

/** What the test sends to the process under watch. `undefined`: the service goes. */
export type SoakOrder =
  | { readonly kind: 'put'; readonly service: string; readonly destination: Partial<Destination> | undefined }
  | { readonly kind: 'measure' };

/** What a process holds at rest. */
export interface Holdings {
  /** After a full collection. */
  readonly heapBytes: number;
  readonly sockets: number;
  readonly timers: number;
  readonly inFlight: number;
  readonly clientConnections: number;
}

export type SoakMessage =
  | { readonly kind: 'serving'; readonly port: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'measured'; readonly holdings: Holdings };

// A server in a process of its own, so that what the test's clients hold is not counted as the proxy's.
const metrics = new Metrics();
const server = await startInProcessServer({
  settings: readSettings('proxy', { env: process.env }),
  logger: silentLogger,
  metrics,
  env: process.env,
  entrypoints: [{ port: 0, secure: false }],
  host: '127.0.0.1',
});
const send = (message: SoakMessage) => process.send?.(message);
process.on('message', (order: SoakOrder) => void obey(order));
process.once('disconnect', () => void server.stop().then(() => process.exit(0)));
send({ kind: 'serving', port: server.entrypoints()[0]?.port ?? 0 });

async function obey(order: SoakOrder): Promise<void> {
  if (order.kind === 'measure') send({ kind: 'measured', holdings: await holdings() });
  else {
    await put(order.service, order.destination);
    send({ kind: 'done' });
  }
}

let sequence = 0;
function put(service: string, destination: Partial<Destination> | undefined): Promise<void> {
  sequence += 1;
  const key: ServiceKey = `manual/${service}`;
  const changes = new Map([[key, destination && served(key, service, destination)]]);
  return server.apply({ revision: String(sequence), sequence, registryId: 'soak', changes, rejected: new Map() });
}

function served(key: ServiceKey, service: string, destination: Partial<Destination>): ServedService {
  const definition: ServiceDefinition = {
    version: 1,
    service,
    owner: 'manual',
    source: { kind: 'rest', by: 'soak' },
    updatedAt: '2026-01-01T00:00:00.000Z',
    destinations: [{ index: 0, since: 0, port: 80, outboundHostname: '127.0.0.1', ...destination }],
  };
  return { key, definition, endpoints: undefined, origin: 'registry', addressesFresh: true };
}

async function holdings(): Promise<Holdings> {
  const text = await metrics.metrics();
  const gauge = (name: string) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
  // What a first collection only lets go of, the second one takes.
  for (const _ of [1, 2]) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const resources = process.getActiveResourcesInfo();
  return {
    heapBytes: process.memoryUsage().heapUsed,
    sockets: resources.filter((kind) => kind === 'TCPSocketWrap').length,
    timers: resources.filter((kind) => kind === 'Timeout').length,
    inFlight: gauge('swarmgate_in_flight'),
    clientConnections: gauge('swarmgate_client_connections'),
  };
}
