/**
 * A whole Swarmgate on Swarms and a Consul of its own: engines in network namespaces (nodes.ts), listeners and proxies as
 * processes of this checkout. A proxy lives in the network of a container, so that it has the overlay network that
 * services are on, as a task of the stack has; its ports are published on its node.
 *
 *   const lab = await startSwarmLab({ managers: 1, workers: 1 });
 *   const proxy = await lab.startProxy(lab.nodes[0]);
 *   const listener = await lab.startListener(lab.nodes[0]);
 *   const id = await lab.deploy('shop', { replicas: 3 });     // served at /shop
 *   await untilResponds({ url: `${proxy.httpUrl}/shop` }, 200);
 *   await lab.remove();
 */
import type Docker from 'dockerode';
import { type ConsulOptions, type RunningConsul, startConsul } from './consul.ts';
import { createOverlayNetwork, createService, importNodeImage, type ServiceOptions } from './docker.ts';
import { freePorts } from './free-ports.ts';
import { type Response, send, type TestRequest } from './http.ts';
import { type SwarmNode, startNodes } from './nodes.ts';
import { type StackConsul, stackConsul } from './stack-consul.ts';
import { type SwarmgateProcess, startSwarmgate } from './swarmgate-process.ts';
import { until } from './until.ts';

type Environment = Readonly<Record<string, string>>;

export interface RunningProxy extends SwarmgateProcess {
  readonly httpUrl: string;
  readonly adminUrl: string;
  /** A call of its REST, with the token. */
  admin(path: string, options?: Omit<Partial<TestRequest>, 'url'>): Promise<Response>;
  untilReady(): Promise<void>;
}

export interface RunningListener extends SwarmgateProcess {
  readonly url: string;
  isLeading(): Promise<boolean>;
}

export interface SwarmLab {
  readonly nodes: readonly [SwarmNode, ...SwarmNode[]];
  readonly consul: RunningConsul;
  readonly kv: StackConsul;
  /** Where processes in the nodes' networks reach a port of this machine. */
  readonly hostAddress: string;
  readonly token: string;
  startProxy(node: SwarmNode, env?: Environment): Promise<RunningProxy>;
  /** On this machine, following that node's engine. */
  startListener(node: SwarmNode, env?: Environment): Promise<RunningListener>;
  startAgent(node: SwarmNode, listener: RunningListener): Promise<SwarmgateProcess>;
  /** A labelled service of the demo image, served at `/<name>`; returns its id. */
  deploy(name: string, options?: Partial<Omit<ServiceOptions, 'name' | 'image'>>, by?: Docker): Promise<string>;
  remove(): Promise<void>;
}

const network = 'services';

export async function startSwarmLab(options: {
  readonly managers: number;
  readonly workers?: number;
  readonly consul?: ConsulOptions;
}): Promise<SwarmLab> {
  const swarm = await startNodes(options);
  const [first] = swarm.nodes;
  const hostAddress = first.address.replace(/\.\d+$/, '.1');
  const token = 'a-token-of-the-lab';
  const running: SwarmgateProcess[] = [];
  let consul: RunningConsul | undefined;
  try {
    // On all addresses: tests call it on loopback, proxies in the nodes' networks over the bridge.
    consul = await startConsul({ ...options.consul, config: { ...options.consul?.config, client_addr: '0.0.0.0' } });
    const images = await Promise.all(swarm.nodes.map((node) => importNodeImage(node.docker)));
    await createOverlayNetwork(first.docker, network);
    const image = images[0] as string;
    const remember = <T extends SwarmgateProcess>(started: T) => {
      running.push(started);
      return started;
    };
    const from = hostAddress;
    const consulPort = consul.address.split(':')[1];
    return {
      nodes: swarm.nodes,
      consul,
      kv: stackConsul(consul.url, 'swarmgate', consul.managementToken ?? ''),
      hostAddress,
      token,
      startProxy: async (node, env) =>
        remember(
          await startProxy(node, image, { CONSUL_HTTP_ADDR: `${from}:${consulPort}`, ADMIN_TOKEN: token, ...env }),
        ),
      startListener: async (node, env) =>
        remember(
          await startListener({
            CONSUL_HTTP_ADDR: `127.0.0.1:${consulPort}`,
            DOCKER_HOST: node.dockerHost,
            ADMIN_TOKEN: token,
            ...env,
          }),
        ),
      startAgent: async (node, listener) => {
        const [port] = (await freePorts(1)) as [number];
        const agent = startSwarmgate(['listener', '--role', 'agent'], {
          env: {
            DOCKER_HOST: node.dockerHost,
            LISTENER_URL: listener.url,
            LISTENER_PORT: String(port),
            ADMIN_TOKEN: token,
          },
        });
        remember(agent);
        await responses(`http://127.0.0.1:${port}/readyz`, agent);
        return agent;
      },
      deploy: (name, more = {}, by = first.docker) => createService(by, labelled(name, image, more)),
      remove: async () => {
        await Promise.all(running.map((each) => each.remove()));
        await consul?.remove();
        await swarm.remove();
      },
    };
  } catch (error) {
    await consul?.remove();
    await swarm.remove();
    throw error;
  }
}

function labelled(name: string, image: string, more: Partial<ServiceOptions>): ServiceOptions {
  return {
    image,
    networks: [network],
    ...more,
    name,
    labels: { 'com.df.notify': 'true', 'com.df.servicePath': `/${name}`, 'com.df.port': '8080', ...more.labels },
  };
}

async function startListener(env: Environment): Promise<RunningListener> {
  const [port] = (await freePorts(1)) as [number];
  const url = `http://127.0.0.1:${port}`;
  const started = startSwarmgate(['listener'], { env: { ...env, LISTENER_PORT: String(port) } });
  await responses(`${url}/healthz`, started);
  return Object.assign(started, {
    url,
    isLeading: async () => {
      try {
        const headers = { authorization: `Bearer ${env.ADMIN_TOKEN}` };
        const { body } = await send({ url: `${url}/v1/status`, headers, timeoutMs: 2_000 });
        return (JSON.parse(body) as { readonly publishing: { readonly leading: boolean } }).publishing.leading;
      } catch {
        // Killed, paused or not started yet: it does not lead.
        return false;
      }
    },
  });
}

async function startProxy(node: SwarmNode, image: string, env: Environment): Promise<RunningProxy> {
  const [http, admin] = (await freePorts(2)) as [number, number];
  const container = await node.docker.createContainer({
    Image: image,
    // Only its network is required: it sleeps, and the proxy's ports stay free.
    Cmd: ['/node', '--eval', 'setInterval(() => undefined, 60_000); process.on("SIGTERM", () => process.exit(0))'],
    ExposedPorts: { [`${http}/tcp`]: {}, [`${admin}/tcp`]: {} },
    HostConfig: {
      NetworkMode: network,
      PortBindings: Object.fromEntries([http, admin].map((port) => [`${port}/tcp`, [{ HostPort: String(port) }]])),
    },
  });
  // A node that has just joined gets the network a moment later.
  await until('the container of the proxy starts', () => container.start().then(() => true));
  const inspected = await container.inspect();
  const httpUrl = `http://${node.address}:${http}`;
  const adminUrl = `http://${node.address}:${admin}`;
  const started = startSwarmgate(['proxy'], {
    insideNetworkOf: { pid: inspected.State.Pid, resolvConf: inspected.ResolvConfPath },
    // A port of its own inside too: all these processes have this machine's name, and a replica is named by name and port.
    env: {
      DEFAULT_PORTS: String(http),
      ADMIN_PORT: String(admin),
      ADMIN_HOST: '0.0.0.0',
      WORKERS: '1',
      LOG_LEVEL: 'error',
      ...env,
    },
  });
  const headers = { authorization: `Bearer ${env.ADMIN_TOKEN}` };
  return Object.assign(started, {
    httpUrl,
    adminUrl,
    admin: (path: string, more: Omit<Partial<TestRequest>, 'url'> = {}) =>
      send({ ...more, url: `${adminUrl}${path}`, headers }),
    untilReady: () => responses(`${adminUrl}/readyz`, started),
  });
}

async function responses(url: string, by: SwarmgateProcess): Promise<void> {
  try {
    await until(`${url} responds with 200`, async () => (await send({ url, timeoutMs: 2_000 })).status === 200);
  } catch (error) {
    throw new Error(`${(error as Error).message}; it wrote:\n${by.log()}`, { cause: error });
  }
}
