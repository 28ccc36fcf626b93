import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry } from '../src/create-registry.ts';
import { type KeyLayout, keyLayout } from '../src/journal/key-layout.ts';
import type { Registry } from '../src/registry.ts';
import { openEmbeddedStore } from '../src/store/embedded-store.ts';
import type { KeyValueStore, Operation } from '../src/store/key-value-store.ts';

export interface RegistryUnderTest {
  readonly registry: Registry;
  readonly store: KeyValueStore;
  readonly layout: KeyLayout;
  /** A manual edit: no journal entry. */
  write(...operations: readonly Operation[]): Promise<void>;
  remove(): Promise<void>;
}

/** A registry over the real embedded store in a directory of its own. `around` may stand between the two. */
export async function openRegistryUnderTest(
  around: (store: KeyValueStore) => KeyValueStore = (store) => store,
): Promise<RegistryUnderTest> {
  const dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-registry-'));
  const store = openEmbeddedStore({ dataDir });
  return {
    registry: createRegistry({ store: around(store), instance: 'edge' }),
    store,
    layout: keyLayout('edge'),
    async write(...operations) {
      const result = await store.transact(operations);
      if (!result.ok) throw new Error(result.reason);
    },
    async remove() {
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
