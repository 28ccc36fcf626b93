import { openRegistry } from '@swarmgate/registry';
import { createLogger, UsageError } from '@swarmgate/runtime';
import { startAgent, startListener } from '@swarmgate/swarm-listener';
import type { CommandIo } from '../io.ts';
import { servingSettings } from './serving-settings.ts';
import { untilStopped } from './until-stopped.ts';

/** Observes the Swarm and publishes to Consul until it is stopped. */
export async function listener(io: CommandIo): Promise<void> {
  const settings = servingSettings('listener', io.env);
  if (settings.consulAddress === undefined) {
    // The embedded registry belongs to one process: no proxy could follow what a separate listener writes to it.
    throw new UsageError(
      'consul-missing',
      'CONSUL_HTTP_ADDR is not set: a listener publishes to a Consul that proxies follow. Both in one process: swarmgate standalone',
    );
  }
  const logger = createLogger({ level: settings.logLevel });
  await untilStopped(logger, async (signal, running) => {
    const registry = await openRegistry(settings, logger);
    running.push({ stop: () => registry.store.close() });
    running.push(await startListener({ settings, registry, logger, signal }));
  });
}

/** Reports terminating containers of its node until it is stopped. */
export async function agent(io: CommandIo): Promise<void> {
  const settings = servingSettings('listener', io.env);
  const logger = createLogger({ level: settings.logLevel });
  await untilStopped(logger, async (signal, running) => {
    running.push(await startAgent({ settings, logger, signal }));
  });
}
