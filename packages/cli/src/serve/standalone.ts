import { startProxy } from '@swarmgate/proxy';
import { openRegistry, type Registry, RegistryError } from '@swarmgate/registry';
import { createLogger, type Logger, openSettings, pause } from '@swarmgate/runtime';
import { startListener } from '@swarmgate/swarm-listener';
import type { CommandIo } from '../io.ts';
import { announce } from './announce.ts';
import { restartWorkersOnHangup } from './restart-workers.ts';
import { type RunningSamples, removeSampleServices, startSampleServices } from './sample-services.ts';
import { untilStopped } from './until-stopped.ts';

/** How long the first listing of the Swarm may take before samples are served meanwhile, in milliseconds. */
const swarmPatienceMs = 4000;
/** How long a published route may take to be served before it is announced all the same, in milliseconds. */
const routePatienceMs = 5000;

/** Listener and proxy in one process, for a first look and for single-node Swarms. */
export async function standalone(io: CommandIo): Promise<void> {
  const settings = openSettings('standalone', { env: io.env });
  const logger = createLogger({ level: settings.logLevel });
  await untilStopped(logger, async (signal, running) => {
    const registry = await openRegistry(settings, logger);
    running.push({ stop: () => registry.store.close() });
    const proxy = await startProxy({ settings, registry, logger, env: io.env, signal });
    running.push(proxy, restartWorkersOnHangup(proxy, logger));
    const listener = await startListener({ settings, registry, logger, signal });
    running.push(listener);

    const offersSamples = await canOfferSamples(registry, logger, signal);
    const followsSwarm = await becomesTrue(() => listener.ready(), swarmPatienceMs, signal);
    if (followsSwarm) await becomesTrue(() => proxy.usableRoutes().length > 0, routePatienceMs / 5, signal);
    const samples: RunningSamples | undefined =
      !offersSamples || proxy.usableRoutes().length > 0
        ? undefined
        : await startSampleServices(registry, logger, signal);
    if (samples !== undefined) running.push(samples);
    await becomesTrue(() => proxy.usableRoutes().length > 0, routePatienceMs, signal);
    io.out(announce({ settings, registry, followsSwarm, samples, routes: proxy.usableRoutes() }));
  });
}

/**
 * Takes away what a crash left behind: it would lead to ports that are somebody else's by now. Without its registry the
 * process serves on from its snapshot, and samples, which only the registry can make known, have to be done without.
 */
async function canOfferSamples(registry: Registry, logger: Logger, signal: AbortSignal): Promise<boolean> {
  try {
    await removeSampleServices(registry, signal);
    return true;
  } catch (cause) {
    if (!(cause instanceof RegistryError) || signal.aborted) throw cause;
    logger.warn({ code: cause.code, error: cause.message }, 'the registry is away: no sample services are started');
    return false;
  }
}

async function becomesTrue(condition: () => boolean, withinMs: number, signal: AbortSignal): Promise<boolean> {
  const deadlineMs = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > deadlineMs || !(await pause(50, signal))) return condition();
  }
  return true;
}
