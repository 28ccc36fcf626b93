import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  contendForLeadership,
  createRegistry,
  createSealer,
  type KeyValueStore,
  keyLayout,
  openEmbeddedStore,
  type Registry,
  type RegistrySnapshot,
} from '@swarmgate/registry';
import { silentLogger, Tasks } from '@swarmgate/runtime';
import { createTranslator } from '../src/labels/translator.ts';
import { createPublisher, type Publisher } from '../src/publishing/publisher.ts';
import type { SwarmService, SwarmTask } from '../src/swarm/swarm-objects.ts';
import { viewOf } from '../src/swarm/swarm-view.ts';
import { aNode } from './swarm-fixtures.ts';

export interface RunningPublisher {
  readonly publisher: Publisher;
  /** Sets what the Swarm has: these services and tasks, and no others. */
  desire(services: readonly SwarmService[], tasks?: readonly SwarmTask[]): void;
  /** All documents of the registry. */
  read(): Promise<RegistrySnapshot>;
  stop(): Promise<void>;
}

/** A publisher of the owner `swarm` that leads, over an embedded registry of its own, or the store that is given. */
export function startPublisher(
  wrap: (registry: Registry) => Registry = (registry) => registry,
  given?: { readonly store: KeyValueStore; readonly instance: string },
): RunningPublisher {
  const directory = mkdtempSync(join(tmpdir(), 'swarmgate-publisher-'));
  const { store, instance } = given ?? { store: openEmbeddedStore({ dataDir: directory }), instance: 'test' };
  const registry = wrap(createRegistry({ store, instance }));
  const layout = keyLayout(instance);
  const logger = silentLogger;
  const leadership = contendForLeadership({
    store,
    key: layout.leader('swarm'),
    heartbeatKey: layout.leaderHeartbeat('swarm'),
    name: 'test',
    logger,
  });
  const publisher = createPublisher({
    registry,
    leadership,
    owner: 'swarm',
    by: 'test',
    sealer: createSealer([]),
    logger,
    signal: new AbortController().signal,
    tasks: new Tasks({ logger }),
  });
  const labels = { notifyLabel: 'com.df.notify', serviceNamePrefix: '', owner: 'swarm', separator: ',' };
  const translator = createTranslator(labels, { onProblems: () => undefined });
  return {
    publisher,
    desire(services, tasks = []) {
      const view = viewOf({ swarmId: 'swarm-1', services, tasks, nodes: [aNode()], networks: [] });
      const translated = translator.take({ view, changed: 'all', cause: 'listing' }, new Date());
      publisher.setDesired({ ...translated, evidence: view, fromListing: true });
    },
    async read() {
      const response = await registry.read(AbortSignal.timeout(20_000));
      if (response.kind !== 'snapshot') throw new Error('no head');
      return response.snapshot;
    },
    async stop() {
      await publisher.stop();
      await leadership.stop();
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
