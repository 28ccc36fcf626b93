/**
 * Listeners and proxies on this machine beside a Swarm of their own, for tests of what happens between them and Consul:
 * the services are real ones of a real Swarm, their labels send requests to a server of this process (`outboundHostname`), and
 * no container runs.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createService, importNodeImage, removeService, updateService } from '../harness/docker.ts';
import { freePorts } from '../harness/free-ports.ts';
import { type Answer, type Ask, ask } from '../harness/http.ts';
import { type SwarmNodes, startNodes } from '../harness/nodes.ts';
import { type SwarmgateProcess, startSwarmgate } from '../harness/swarmgate-process.ts';
import { until } from '../harness/until.ts';

type Environment = Readonly<Record<string, string>>;

export interface HostProxy extends SwarmgateProcess {
  readonly httpUrl: string;
  readonly adminUrl: string;
  admin(path: string, options?: Omit<Partial<Ask>, 'url'>): Promise<Answer>;
  /** `registry.state` of its status: `following`, `away` or `holding`. */
  state(): Promise<string>;
  status(path: string): Promise<number>;
}

export interface HostListener extends SwarmgateProcess {
  readonly url: string;
  status(): Promise<ListenerStatus | undefined>;
  isLeading(): Promise<boolean>;
}

export interface ListenerStatus {
  readonly publishing: { readonly leading: boolean; readonly judgement?: { readonly kind: string } };
}

export interface BesideASwarm {
  readonly swarm: SwarmNodes;
  startProxy(env: Environment): Promise<HostProxy>;
  startListener(env: Environment): Promise<HostListener>;
  /** A labelled service served at `/<name>`. */
  deploy(name: string, labels?: Environment): Promise<void>;
  setPath(name: string, path: string): Promise<void>;
  removeServices(names: readonly string[]): Promise<void>;
  /** Where requests end. */
  readonly backendPort: number;
  remove(): Promise<void>;
}

export async function startBesideASwarm(managers = 1): Promise<BesideASwarm> {
  const backend = createServer((_request, response) => response.end('hello'));
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const address = backend.address();
  const backendPort = typeof address === 'object' && address !== null ? address.port : 0;
  const swarm = await startNodes({ managers });
  const running: SwarmgateProcess[] = [];
  const { docker, dockerHost } = swarm.nodes[0];
  const image = await importNodeImage(docker);
  const ids = new Map<string, string>();
  const remember = <T extends SwarmgateProcess>(started: T) => {
    running.push(started);
    return started;
  };
  return {
    swarm,
    backendPort,
    startProxy: async (env) => remember(await startProxy(env)),
    startListener: async (env) => remember(await startListener({ DOCKER_HOST: dockerHost, ...env })),
    deploy: async (name, labels = {}) => {
      const id = await createService(docker, {
        name,
        image,
        constraints: ['node.labels.nowhere == true'],
        labels: {
          'com.df.notify': 'true',
          'com.df.servicePath': `/${name}`,
          'com.df.port': String(backendPort),
          'com.df.outboundHostname': '127.0.0.1',
          ...labels,
        },
      });
      ids.set(name, id);
    },
    setPath: (name, path) =>
      updateService(docker, ids.get(name) ?? '', (spec) => ({
        ...spec,
        Labels: { ...spec.Labels, 'com.df.servicePath': path },
      })),
    removeServices: async (names) => {
      await Promise.all(names.map((name) => removeService(docker, ids.get(name) ?? '')));
    },
    remove: async () => {
      await Promise.all(running.map((each) => each.remove()));
      await swarm.remove();
      backend.close();
      backend.closeAllConnections();
    },
  };
}

async function startProxy(env: Environment): Promise<HostProxy> {
  const [http, admin] = (await freePorts(2)) as [number, number];
  const httpUrl = `http://127.0.0.1:${http}`;
  const adminUrl = `http://127.0.0.1:${admin}`;
  const started = startSwarmgate(['proxy'], {
    env: { DEFAULT_PORTS: String(http), ADMIN_PORT: String(admin), WORKERS: '1', LOG_LEVEL: 'error', ...env },
  });
  await answers(`${adminUrl}/healthz`, started);
  const call: HostProxy['admin'] = (path, options = {}) => ask({ ...options, url: `${adminUrl}${path}` });
  return Object.assign(started, {
    httpUrl,
    adminUrl,
    admin: call,
    state: async () => {
      const { body } = await call('/v1/status');
      return (JSON.parse(body) as { readonly registry: { readonly state: { readonly kind: string } } }).registry.state
        .kind;
    },
    status: async (path: string) => (await ask({ url: `${httpUrl}${path}` })).status,
  });
}

async function startListener(env: Environment): Promise<HostListener> {
  const [port] = (await freePorts(1)) as [number];
  const url = `http://127.0.0.1:${port}`;
  const started = startSwarmgate(['listener'], { env: { ...env, LISTENER_PORT: String(port) } });
  await answers(`${url}/healthz`, started);
  const status = async () => {
    try {
      const { body } = await ask({ url: `${url}/v1/status`, timeoutMs: 2_000 });
      return JSON.parse(body) as ListenerStatus;
    } catch {
      // Killed, paused or not there yet: it says nothing.
      return undefined;
    }
  };
  return Object.assign(started, { url, status, isLeading: async () => (await status())?.publishing.leading ?? false });
}

async function answers(url: string, by: SwarmgateProcess): Promise<void> {
  try {
    await until(`${url} answers 200`, async () => (await ask({ url, timeoutMs: 2_000 })).status === 200);
  } catch (error) {
    throw new Error(`${(error as Error).message}; it wrote:\n${by.log()}`, { cause: error });
  }
}
