import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, createServer, type IncomingHttpHeaders, type RequestListener, request } from 'node:http';
import { type AddressInfo, connect, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Destination, EndpointsDocument, ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { type Logger, readSettings, silentLogger } from '@swarmgate/runtime';
import { Registry as Metrics } from 'prom-client';
import type { ServiceNumbers } from '../src/control/numbers/service-numbers.ts';
import { metricsText } from '../src/control/serving/metrics-text.ts';
import type { Server as ProxyServer, WorkerView } from '../src/control/serving/server.ts';
import { prepareClusterServer } from '../src/control/workers/cluster-server.ts';
import type { ServedService, ServicesChange } from '../src/model/served-service.ts';
import { until } from './until.ts';

export interface LocalResponse {
  /** HTTP status, or the code of what went wrong. */
  readonly status: number | string;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

/** A cluster server with real worker processes on a free loopback port, and a backend behind it. */
export interface WorkerRig {
  readonly server: ProxyServer;
  readonly metrics: Metrics;
  readonly port: number;
  readonly backendPort: number;
  readonly dataDir: string;
  /** Publishes a service that leads to the backend, or removes it. */
  put(key: ServiceKey, destination: Partial<Destination> | undefined, more?: More): Promise<void>;
  apply(changes: ReadonlyMap<ServiceKey, ServedService | undefined>): Promise<void>;
  get(path: string, more?: { agent?: Agent; port?: number }): Promise<LocalResponse>;
  open(port?: number): Promise<Socket>;
  serving(): readonly WorkerView[];
  /** Only this worker accepts connections while `act` runs: the others are halted. */
  only<T>(pid: number, act: () => Promise<T>): Promise<T>;
  /** The sum of one metric over its labels. */
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
}

export interface WorkerRigOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly backend?: RequestListener;
  readonly entrypoints?: readonly { readonly port: number; readonly secure: boolean }[];
  /** Of the control process. Default: none. */
  readonly logger?: Logger;
  readonly pluginLookMs?: number;
  readonly numbers?: ServiceNumbers;
}

export async function startWorkerRig(options: WorkerRigOptions = {}): Promise<WorkerRig> {
  const dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-workers-'));
  const backend = await listening(createServer(options.backend ?? ((_request, response) => response.end('fine'))));
  const backendPort = (backend.address() as AddressInfo).port;
  const env = { DATA_DIR: dataDir, WORKERS: '2', DRAIN_TIMEOUT_MS: '5000', ...options.env };
  const metrics = new Metrics();
  const server = await prepareClusterServer({
    settings: readSettings('proxy', { env }),
    logger: options.logger ?? silentLogger,
    metrics,
    env,
    entrypoints: options.entrypoints ?? [{ port: 0, secure: false }],
    host: '127.0.0.1',
    ...(options.pluginLookMs === undefined ? {} : { pluginLookMs: options.pluginLookMs }),
    ...(options.numbers === undefined ? {} : { numbers: options.numbers }),
  });
  await server.open();
  const port = server.entrypoints()[0]?.port ?? 0;
  let sequence = 0;
  const serving = () => server.workers().filter(({ state }) => state === 'serving');
  const apply = (changes: ReadonlyMap<ServiceKey, ServedService | undefined>) => {
    sequence += 1;
    const change: ServicesChange = {
      revision: `r${sequence}`,
      sequence,
      registryId: 'x',
      changes,
      rejected: new Map(),
    };
    return server.apply(change);
  };
  return {
    server,
    metrics,
    port,
    backendPort,
    dataDir,
    apply,
    put: (key, destination, more) =>
      apply(new Map([[key, destination && servedAt(key, { port: backendPort, ...destination }, more)]])),
    get: (path, { agent, port: other = port } = {}) => get(other, path, agent),
    open: (other = port) => opened(other),
    serving,
    async only(pid, act) {
      const others = server.workers().filter((worker) => worker.pid !== pid);
      for (const other of others) process.kill(other.pid, 'SIGSTOP');
      try {
        return await act();
      } finally {
        for (const other of others) process.kill(other.pid, 'SIGCONT');
      }
    },
    async metric(name) {
      const all = [...(await metrics.getMetricsAsJSON()), ...((await server.workerMetrics?.()) ?? [])];
      const text = metricsText(all, 'text');
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    async stop() {
      await server.drain(2_000);
      await server.stop();
      backend.closeAllConnections();
      await new Promise((resolve) => backend.close(resolve));
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export interface More {
  readonly labels?: Partial<ServiceDefinition>;
  readonly endpoints?: EndpointsDocument;
}

export function servedAt(
  key: ServiceKey,
  destination: Partial<Destination> & { readonly port: number },
  { labels = {}, endpoints }: More = {},
): ServedService {
  const [owner = '', service = ''] = key.split('/');
  const base = { index: 0, since: 1, servicePath: ['/'] };
  // Without a document of addresses there is the backend itself.
  const way = endpoints === undefined ? { outboundHostname: '127.0.0.1' } : {};
  return {
    key,
    definition: {
      version: 1,
      service,
      owner,
      source: { kind: 'rest', by: 'test' },
      updatedAt: '2026-01-01T00:00:00.000Z',
      destinations: [{ ...base, ...way, ...destination }],
      ...labels,
    },
    endpoints,
    origin: 'registry',
    addressesFresh: true,
  };
}

/** Clients that send requests without a pause: some on one connection each, some on a new one for every request. */
export class Load {
  readonly failures = new Map<string, number>();
  readonly #agents: Agent[] = [];
  readonly #running: Promise<void>[] = [];
  readonly #port: number;
  #stopping = false;
  responded = 0;

  constructor(port: number, { keepAlive, perRequest }: { readonly keepAlive: number; readonly perRequest: number }) {
    this.#port = port;
    for (let at = 0; at < keepAlive; at += 1) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      this.#agents.push(agent);
      this.#running.push(this.#send(agent));
    }
    for (let at = 0; at < perRequest; at += 1) this.#running.push(this.#send(undefined));
  }

  /** Resolves once `count` more requests were served: the load goes on. */
  async more(count: number): Promise<void> {
    const target = this.responded + count;
    await until(() => this.responded >= target, `${count} more responses`, 60_000);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
    for (const agent of this.#agents) agent.destroy();
  }

  async #send(agent: Agent | undefined): Promise<void> {
    while (!this.#stopping) {
      const { status } = await get(this.#port, '/', agent);
      this.responded += 1;
      const how = `${status} ${agent === undefined ? 'on a new connection' : 'on a kept one'}`;
      if (status !== 200) this.failures.set(how, (this.failures.get(how) ?? 0) + 1);
      // Leaves the two cores to the proxy.
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  }
}

export function listening<S extends NetServer>(server: S): Promise<S> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

export function get(port: number, path: string, agent: Agent | undefined): Promise<LocalResponse> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve({ status: error.code ?? 'failed', text: '', headers: {} });
    const sent = request({ host: '127.0.0.1', port, path, agent: agent ?? false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.once('error', failed);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    sent.once('error', failed);
    sent.end();
  });
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
