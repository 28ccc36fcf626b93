import { join } from 'node:path';
import { type Logger, readRegularFile, type Settings, silentLogger } from '@swarmgate/runtime';
import { followRegistry } from './journal/follow.ts';
import { readHistory } from './journal/history.ts';
import { JournalContext } from './journal/journal-context.ts';
import { keyLayout } from './journal/key-layout.ts';
import { publish } from './journal/publish.ts';
import { PublishQueue } from './journal/publish-queue.ts';
import { readEverything } from './journal/read.ts';
import type { Registry } from './registry.ts';
import { RegistryError } from './registry-error.ts';
import { type ConsulStoreOptions, createConsulStore } from './store/consul-store.ts';
import { openEmbeddedStore } from './store/embedded-store.ts';
import type { KeyValueStore } from './store/key-value-store.ts';

export interface RegistryOptions {
  readonly store: KeyValueStore;
  /** Prefix of all keys: `PROXY_INSTANCE_NAME`. */
  readonly instance: string;
  /** Gets, on level `debug`, what a follower reads and why. Default: none. */
  readonly logger?: Logger;
}

/** The registry of one instance over any store. The caller closes the store. */
export function createRegistry({ store, instance, logger = silentLogger }: RegistryOptions): Registry {
  const layout = keyLayout(instance);
  const context = new JournalContext({ store, layout, logger });
  const queue = new PublishQueue(context);
  return {
    store,
    instance,
    async read(signal) {
      const read = await readEverything(store, layout, undefined, signal);
      return read.kind === 'full' ? { kind: 'snapshot', snapshot: read.snapshot } : read;
    },
    follow: (options) => followRegistry(context, options),
    publish: (changes, options) => publish(context, queue, changes, options),
    history: (key, signal) => readHistory(context, key, signal),
    awaitedPosition: () => context.awaited,
  };
}

export type RegistrySettings = Pick<
  Settings,
  | 'consulAddress'
  | 'consulToken'
  | 'consulSsl'
  | 'consulCaCert'
  | 'consulClientCert'
  | 'consulClientKey'
  | 'dataDir'
  | 'instanceName'
>;

/**
 * Consul where `CONSUL_HTTP_ADDR` is set, else the embedded registry in `DATA_DIR`. Does not wait for Consul to respond.
 * The caller closes `registry.store`.
 * @throws RegistryError `registry-held` when another process has the embedded registry open, `registry-refused` for
 * certificates that cannot be read or an address that is none.
 */
export async function openRegistry(settings: RegistrySettings, logger: Logger): Promise<Registry> {
  if (settings.consulAddress !== undefined) {
    const { consulToken } = settings;
    const store = createConsulStore({
      ...(await readConsulAccess(settings.consulAddress, settings)),
      ...(consulToken === undefined ? {} : { token: consulToken }),
    });
    logger.info({ registry: store.description }, 'the registry is in Consul');
    return createRegistry({ store, instance: settings.instanceName, logger });
  }
  const store = openEmbeddedStore({ dataDir: join(settings.dataDir) });
  const registry = createRegistry({ store, instance: settings.instanceName, logger });
  try {
    // No other process can write here first, so a registry without a head is new, not lost.
    await registry.publish([], { by: 'embedded registry', signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    await store.close();
    throw error;
  }
  logger.info({ registry: store.description }, 'the registry is a file of this process');
  return registry;
}

/**
 * How Consul is reached: its address, and for TLS the files that the settings name, read. Holds no token.
 * @throws RegistryError `registry-refused` for files that cannot be read
 */
export async function readConsulAccess(
  address: string,
  settings: Pick<Settings, 'consulSsl' | 'consulCaCert' | 'consulClientCert' | 'consulClientKey'>,
): Promise<Omit<ConsulStoreOptions, 'token'>> {
  const [ca, cert, key] = await Promise.all([
    readPem('CONSUL_CACERT', settings.consulCaCert),
    readPem('CONSUL_CLIENT_CERT', settings.consulClientCert),
    readPem('CONSUL_CLIENT_KEY', settings.consulClientKey),
  ]);
  return {
    address,
    secure: settings.consulSsl,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function readPem(setting: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readRegularFile(file);
  } catch (error) {
    throw RegistryError.of('registry-refused', `${setting}=${file} cannot be read`, error);
  }
}
