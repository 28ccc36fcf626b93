/**
 * Listeners and proxies on this machine beside a Swarm of their own, for tests of what happens between them and Consul:
 * the services are real ones of a real Swarm, their labels send requests to a server of this process (`outboundHostname`), and
 * no container runs.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createService, importNodeImage, removeService, updateService } from '../harness/docker.ts';
import { type HostListener, type HostProxy, startHostListener, startHostProxy } from '../harness/host-processes.ts';
import { type SwarmNodes, startNodes } from '../harness/nodes.ts';
import type { SwarmgateProcess } from '../harness/swarmgate-process.ts';

export type { HostListener, HostProxy } from '../harness/host-processes.ts';

type Environment = Readonly<Record<string, string>>;

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
    startProxy: async (env) => remember(await startHostProxy(env)),
    startListener: async (env) => remember(await startHostListener({ DOCKER_HOST: dockerHost, ...env })),
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
