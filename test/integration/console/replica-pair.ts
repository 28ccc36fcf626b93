import { buildConsole } from '../../../packages/console/build.mjs';
import { startConsul } from '../../harness/consul.ts';
import { freePorts } from '../../harness/free-ports.ts';
import { type SwarmgateProcess, startSwarmgate } from '../../harness/swarmgate-process.ts';
import { until } from '../../harness/until.ts';
import { adminToken } from './console-rig.ts';

export interface Replica {
  readonly process: SwarmgateProcess;
  /** Of its admin port. */
  readonly url: string;
  readonly entry: string;
}

export interface ReplicaPair {
  /** The second serves by workers: figures, live requests and logins are the control process's. */
  readonly replicas: readonly [one: Replica, two: Replica];
  stop(): Promise<void>;
}

/** Two replicas, processes of their own, on one Consul. */
export async function startReplicaPair(): Promise<ReplicaPair> {
  await buildConsole();
  const consul = await startConsul();
  const start = async (name: string, workers: number): Promise<Replica> => {
    const [admin, entry] = await freePorts(2);
    const env = {
      CONSUL_HTTP_ADDR: consul.address,
      ADMIN_TOKEN: adminToken,
      ADMIN_PORT: String(admin),
      DEFAULT_PORTS: String(entry),
      WORKERS: String(workers),
      // Tests end what they hold; on a busy machine that takes a while.
      DRAIN_TIMEOUT_MS: '60000',
      HOSTNAME: name,
    };
    const process = startSwarmgate(['proxy'], { env });
    return { process, url: `http://127.0.0.1:${admin}`, entry: `http://127.0.0.1:${entry}` };
  };
  const replicas = [await start('one', 0), await start('two', 2)] as const;
  for (const { url } of replicas)
    await until(`a proxy is ready at ${url}`, () =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  return {
    replicas,
    async stop() {
      for (const { process } of replicas) await process.remove();
      await consul.remove();
    },
  };
}

/** Publishes a service of owner `manual`, and waits for the replicas as the REST does. @returns the status of the response */
export async function publishAt(replica: Replica, service: string, port?: number): Promise<number> {
  return (await publishedAt(replica, service, port)).status;
}

/** As `publishAt`. @returns which replicas serve it, too */
export async function publishedAt({ url }: Replica, service: string, port = 9) {
  const destinations = [{ servicePath: [`/${service}`], outboundHostname: '127.0.0.1', port }];
  const response = await fetch(`${url}/v1/reconfigure`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${adminToken}` },
    body: JSON.stringify({ service, destinations }),
  });
  const { serving, waitingFor } = (await response.json()) as {
    readonly serving?: readonly string[];
    readonly waitingFor?: readonly string[];
  };
  return { status: response.status, serving, waitingFor };
}
