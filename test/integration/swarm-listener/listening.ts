import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type EndpointsDocument,
  openRegistry,
  type Problem,
  type Registry,
  type ServiceDefinition,
} from '@swarmgate/registry';
import { type Logger, readSettings, silentLogger } from '@swarmgate/runtime';
import { type Listener, startListener } from '@swarmgate/swarm-listener';

/** A listener on the real Swarm with an embedded registry in a directory of its own. */
export interface Listening {
  readonly listener: Listener;
  readonly registry: Registry;
  /** What stands in the registry for one service. */
  read(owner: string, service: string): Promise<ReadDocuments>;
  stop(): Promise<void>;
}

export interface ReadDocuments {
  readonly definition?: ServiceDefinition;
  readonly endpoints?: EndpointsDocument;
  readonly problems: readonly Problem[];
}

export async function startListening(
  env: Readonly<Record<string, string>>,
  options: { readonly registry?: Registry; readonly logger?: Logger } = {},
): Promise<Listening> {
  const dataDir = mkdtempSync(join(tmpdir(), 'swarmgate-listener-'));
  const settings = readSettings('standalone', { env: { DATA_DIR: dataDir, ...env }, secretsDir: '/nonexistent' });
  const logger = options.logger ?? silentLogger;
  const registry = options.registry ?? (await openRegistry(settings, logger));
  const stopping = new AbortController();
  const listener = await startListener({ settings, registry, logger, signal: stopping.signal });
  return {
    listener,
    registry,
    async read(owner, service) {
      const read = await registry.read(AbortSignal.timeout(10_000));
      if (read.kind !== 'snapshot') return { problems: [] };
      const key = `${owner}/${service}` as const;
      const definition = read.snapshot.services.get(key);
      const endpoints = read.snapshot.endpoints.get(key);
      return {
        ...(definition?.ok ? { definition: definition.document } : {}),
        ...(endpoints?.ok ? { endpoints: endpoints.document } : {}),
        problems: read.snapshot.labelProblems.get(key) ?? [],
      };
    },
    async stop() {
      await listener.stop();
      stopping.abort();
      if (options.registry === undefined) await registry.store.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
