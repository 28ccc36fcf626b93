import { startProxy } from '@swarmgate/proxy';
import { openRegistry, type Registry } from '@swarmgate/registry';
import { createLogger, pause, type Running, readSettings, type Settings, stopAll } from '@swarmgate/runtime';
import { startListener } from '@swarmgate/swarm-listener';
import type { CommandIo } from '../io.ts';
import { type RunningSamples, removeSampleServices, startSampleServices } from './sample-services.ts';
import { untilStopped } from './until-stopped.ts';

/** How long the first listing of the Swarm may take before samples are served meanwhile, in milliseconds. */
const swarmPatienceMs = 4000;

/** Listener and proxy in one process, for a first look and for single-node Swarms. */
export async function standalone(io: CommandIo): Promise<void> {
  const settings = readSettings('standalone', { env: io.env });
  const logger = createLogger({ level: settings.logLevel });
  await untilStopped(logger, async (signal) => {
    const running: Running[] = [];
    try {
      const registry = await openRegistry(settings, logger);
      running.push({ stop: () => registry.store.close() });
      const proxy = await startProxy({ settings, registry, logger, env: io.env, signal });
      running.push(proxy);
      const listener = await startListener({ settings, registry, logger, signal });
      running.push(listener);

      const followsSwarm = await becomesTrue(() => listener.ready(), swarmPatienceMs, signal);
      const samples = await samplesIfNeeded(settings, registry, proxy, logger, signal);
      if (samples !== undefined) running.push(samples);
      await becomesTrue(() => proxy.ready(), swarmPatienceMs, signal);
      io.out(announce(settings, registry, proxy, followsSwarm, samples));
      return { stop: () => stopAll(running) };
    } catch (error) {
      await stopAll(running);
      throw error;
    }
  });
}
