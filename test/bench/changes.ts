import { randomUUID } from 'node:crypto';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createConsulStore, createRegistry, type ServiceDefinition } from '@swarmgate/registry';
import { type RunningConsul, startConsul } from '../harness/consul.ts';
import { freePorts } from '../harness/free-ports.ts';
import { send } from '../harness/http.ts';
import { type SwarmgateProcess, startSwarmgate } from '../harness/swarmgate-process.ts';
import { until } from '../harness/until.ts';
import { spreadOf } from './forwarding/statistics.ts';
import type { Figure } from './routing.ts';

export interface ChangesOptions {
  /** A tenth of everything, to see that it runs: no figures to publish. */
  readonly quick: boolean;
  readonly say: (line: string) => void;
}

/** The promises: milliseconds at p50, and for concurrent clients milliseconds for each change (300 a second). */
const promisedMs = { change: 60, eachOfSixteen: 3.3, edit: 150, editAmongMany: 500 };
const clients = 16;
const many = 10_000;

interface Replica {
  readonly process: SwarmgateProcess;
  readonly adminUrl: string;
  readonly url: string;
}

/**
 * Changes by REST, acknowledged when every replica serves them, and edits straight in Consul, until every replica serves them:
 * two proxies on one Consul, and one proxy with the embedded registry.
 */
export async function benchChanges({ quick, say }: ChangesOptions): Promise<readonly Figure[]> {
  const backend = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await until('the backend listens', () => backend.listening);
  const { port } = backend.address() as AddressInfo;
  const figures: Figure[] = [];
  const add = (figure: Figure) => {
    say(`  ${figure.name}: ${figure.median.toFixed(1)} ${figure.unit}`);
    figures.push(figure);
  };
  const consul = await startConsul();
  const stopping: (() => Promise<void>)[] = [() => consul.remove()];
  try {
    const replicas = await startReplicas(2, { CONSUL_HTTP_ADDR: consul.address });
    for (const { process } of replicas) stopping.push(() => process.remove());
    for (const figure of await changesOf(replicas, 'Consul, two replicas', port, quick)) add(figure);
    add(await edits(consul, replicas, port, quick, 'an edit straight in Consul, served by both', promisedMs.edit));
    await fillRegistry(consul, port, quick ? many / 10 : many);
    await servedByAll(replicas, `/other-${quick ? many / 10 - 1 : many - 1}`);
    const name = `the same among ${many.toLocaleString('en')} services`;
    add(await edits(consul, replicas, port, quick, name, promisedMs.editAmongMany));

    const embedded = await startReplicas(1, {});
    for (const { process } of embedded) stopping.push(() => process.remove());
    for (const figure of await changesOf(embedded, 'embedded', port, quick)) add(figure);
    return figures;
  } finally {
    for (const stop of stopping.toReversed()) await stop();
    backend.closeAllConnections();
    backend.close();
  }
}

async function startReplicas(count: number, env: Readonly<Record<string, string>>): Promise<readonly Replica[]> {
  const replicas: Replica[] = [];
  for (let n = 0; n < count; n += 1) {
    const [admin = 0, entry = 0] = await freePorts(2);
    const process = startSwarmgate(['proxy'], {
      env: { ...env, ADMIN_PORT: String(admin), DEFAULT_PORTS: String(entry), WORKERS: '0' },
    });
    replicas.push({ process, adminUrl: `http://127.0.0.1:${admin}`, url: `http://127.0.0.1:${entry}` });
  }
  const listening = replicas.map(({ adminUrl }) =>
    until('the replica responds', async () => (await send({ url: `${adminUrl}/healthz` })).status === 200),
  );
  await Promise.all(listening);
  return replicas;
}

async function changesOf(
  replicas: readonly Replica[],
  where: string,
  port: number,
  quick: boolean,
): Promise<readonly Figure[]> {
  const [{ adminUrl }] = replicas as readonly [Replica];
  const agent = new Agent({ keepAlive: true });
  const reconfigure = async (service: string, path: string) => {
    const query = `serviceName=${service}&servicePath=${path}&port=${port}&outboundHostname=127.0.0.1`;
    const url = `${adminUrl}/v1/docker-flow-proxy/reconfigure?${query}`;
    const reply = await send({ url, agent, timeoutMs: 60_000 });
    return { status: reply.status, message: (JSON.parse(reply.body) as { readonly Message: string }).Message };
  };
  const kept = async (service: string, path: string) => {
    const { status, message } = await reconfigure(service, path);
    if (status !== 200 || message !== 'Distributed to all instances') throw new Error(`${status}: ${message}`);
  };
  for (let n = 0; n < 20; n += 1) await kept('warm-up', `/warm-up-${n}`);

  const tookMs: number[] = [];
  for (let n = 0; n < (quick ? 20 : 200); n += 1) {
    const beganMs = performance.now();
    await kept('one', `/one-${n}`);
    tookMs.push(performance.now() - beganMs);
  }

  const eachMs: number[] = [];
  for (let round = 0; round < (quick ? 1 : 5); round += 1) {
    const perClient = quick ? 10 : 60;
    const beganMs = performance.now();
    const all = Array.from({ length: clients }, async (_, client) => {
      for (let n = 0; n < perClient; n += 1) await kept(`s-${client}-${n % 20}`, `/s-${client}-${round}-${n}`);
    });
    await Promise.all(all);
    eachMs.push((performance.now() - beganMs) / (clients * perClient));
  }

  const concurrent = quick ? 100 : 1_000;
  const beganMs = performance.now();
  const responses = await Promise.all(
    Array.from({ length: concurrent }, (_, n) => reconfigure('contended', `/contended-${n}`)),
  );
  const contendedMs = performance.now() - beganMs;
  const unclear = responses.filter(({ status }) => status !== 200 && status !== 409).length;
  agent.destroy();
  return [
    { name: `change by REST, ${where}`, unit: 'ms', ...spreadOf(tookMs), atMost: promisedMs.change },
    {
      name: `${clients} clients at once, ${where}`,
      unit: 'ms each',
      ...spreadOf(eachMs),
      atMost: promisedMs.eachOfSixteen,
    },
    one(`${concurrent.toLocaleString('en')} concurrent changes of one service, ${where}`, 'ms', contendedMs),
    one(`of these neither 200 nor 409, ${where}`, 'responses', unclear, 0),
  ];
}

/** Writes into Consul past every process of ours, and waits until all replicas serve it. */
async function edits(
  consul: RunningConsul,
  replicas: readonly Replica[],
  port: number,
  quick: boolean,
  name: string,
  atMost: number,
): Promise<Figure> {
  const tookMs: number[] = [];
  for (let n = 0; n < (quick ? 5 : 40); n += 1) {
    const path = `/edited-${randomUUID()}`;
    const beganMs = performance.now();
    await fetch(`${consul.url}/v1/kv/swarmgate/services/manual/edited`, {
      method: 'PUT',
      body: JSON.stringify(definitionOf('manual', 'edited', path, port)),
    });
    await servedByAll(replicas, path);
    tookMs.push(performance.now() - beganMs);
    // So that one edit is not served by the read of the one before.
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return { name, unit: 'ms', ...spreadOf(tookMs), atMost };
}

async function servedByAll(replicas: readonly Replica[], path: string): Promise<void> {
  const served = replicas.map(({ url }) =>
    until(`${path} is served`, async () => (await send({ url: `${url}${path}` })).status === 200, {
      everyMs: 2,
      withinMs: 60_000,
    }),
  );
  await Promise.all(served);
}

/** Services `other/other-0`, … with a path each, as a listener publishes them. */
export async function fillRegistry(consul: RunningConsul, port: number, count: number): Promise<void> {
  const store = createConsulStore({ address: consul.address });
  const changes = Array.from({ length: count }, (_, n) => {
    const document = definitionOf('other', `other-${n}`, `/other-${n}`, port);
    const tasks = [{ taskId: 't', nodeId: 'n', state: 'active' as const, addresses: ['10.0.0.5/24'] }];
    const { owner, service } = document;
    const endpoints = { version: 1 as const, service, owner, dnsName: service, tasks, published: [] };
    return { owner, service, definition: { document }, endpoints };
  });
  const registry = createRegistry({ store, instance: 'swarmgate' });
  await registry.publish(changes, { by: 'the benchmark', signal: AbortSignal.timeout(120_000) });
  await store.close();
}

function definitionOf(owner: string, service: string, path: string, port: number): ServiceDefinition {
  return {
    version: 1,
    service,
    owner,
    source: { kind: 'rest', by: 'the benchmark' },
    updatedAt: '2026-01-01T00:00:00.000Z',
    destinations: [{ index: 0, since: 1, servicePath: [path], port, outboundHostname: '127.0.0.1' }],
  };
}

function one(name: string, unit: string, value: number, atMost?: number): Figure {
  const figure = { name, unit, median: value, lowest: value, highest: value };
  return atMost === undefined ? figure : { ...figure, atMost };
}
