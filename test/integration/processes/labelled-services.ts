import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  createService,
  ensureDocker,
  importNodeImage,
  removeService,
  uniqueName,
  updateService,
} from '../../harness/docker.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * Services of the shared, real Swarm for listeners of one test. Their labels send requests to a server of this process
 * (`outboundHostname`), and no container runs: their tasks wait for a node that is nowhere.
 */
export interface LabelledServices {
  /** Leads a listener to that Swarm, and lets it see these services and no others. */
  readonly env: Readonly<Record<string, string>>;
  /** Where requests end. */
  readonly backendPort: number;
  /**
   * A service with these labels beside those that lead to the server; their names stand without `com.df.`. Returns its
   * name, which begins with `prefix`.
   */
  deploy(prefix: string, labels: Labels): Promise<string>;
  /** Changes these labels and leaves the others. */
  setLabels(name: string, labels: Labels): Promise<void>;
  /** Removes what was deployed. */
  clear(): Promise<void>;
  remove(): Promise<void>;
}

export async function startLabelledServices(): Promise<LabelledServices> {
  const backend = createServer((_request, response) => response.end('hello'));
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const address = backend.address();
  const backendPort = typeof address === 'object' && address !== null ? address.port : 0;
  const engine = await ensureDocker();
  const { docker } = engine;
  const image = await importNodeImage(docker);
  const notifyLabel = `com.df.${uniqueName('notify')}`;
  const ids = new Map<string, string>();
  const clear = async () => {
    await Promise.all([...ids.values()].map((id) => removeService(docker, id)));
    ids.clear();
  };
  const { DOCKER_HOST } = process.env;
  return {
    env: { DF_NOTIFY_LABEL: notifyLabel, ...(DOCKER_HOST === undefined ? {} : { DOCKER_HOST }) },
    backendPort,
    async deploy(prefix, labels) {
      const name = uniqueName(prefix);
      const id = await createService(docker, {
        name,
        image,
        constraints: ['node.labels.nowhere == true'],
        labels: {
          [notifyLabel]: 'true',
          ...prefixed({ port: String(backendPort), outboundHostname: '127.0.0.1', ...labels }),
        },
      });
      ids.set(name, id);
      return name;
    },
    setLabels: (name, labels) =>
      updateService(docker, ids.get(name) ?? '', (spec) => ({
        ...spec,
        Labels: { ...spec.Labels, ...prefixed(labels) },
      })),
    clear,
    async remove() {
      backend.close();
      backend.closeAllConnections();
      await clear();
      await engine.stopIfStartedHere();
    },
  };
}

function prefixed(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [`com.df.${name}`, value]));
}
