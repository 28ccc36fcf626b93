import { type RunningProxy, startProxy } from '@swarmgate/proxy';
import { openRegistry, type Registry, RegistryError } from '@swarmgate/registry';
import { createLogger, type Logger, openSettings, pause } from '@swarmgate/runtime';
import { type Listener, startListener } from '@swarmgate/swarm-listener';
import type { CommandIo } from '../io.ts';
import { announce, announceWaiting } from './announce.ts';
import { restartWorkersOnHangup } from './restart-workers.ts';
import { type RunningSamples, removeSampleServices, startSampleServices } from './sample-services.ts';
import { untilStopped } from './until-stopped.ts';

/** How long the registry may take to answer before it is said that it is waited for, in milliseconds. */
const registryPatienceMs = 3000;
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

    const sayWaiting = () => io.out(announceWaiting(settings, registry, proxy.state()));
    await becomesTrue(() => isHeard(proxy) || isServingWithout(proxy), registryPatienceMs, signal);
    await becomesTrueOrSay(() => isHeard(proxy) || proxy.ready(), sayWaiting, signal);
    const samples = await samplesWhereNeeded({ registry, proxy, listener, logger, signal });
    if (samples !== undefined) running.push(samples);
    await becomesTrue(() => proxy.usableRoutes().length > 0, routePatienceMs, signal);
    await becomesTrueOrSay(() => proxy.ready(), sayWaiting, signal);
    if (signal.aborted) return;
    const followsSwarm = listener.ready();
    io.out(announce({ settings, registry, state: proxy.state(), followsSwarm, samples, routes: proxy.usableRoutes() }));
  });
}

/** The registry has answered, with services or with none. */
function isHeard(proxy: RunningProxy): boolean {
  const { kind } = proxy.state();
  return kind === 'following' || kind === 'holding';
}

/** The registry is away, and the snapshot stands in for it. */
function isServingWithout(proxy: RunningProxy): boolean {
  return proxy.state().kind === 'away' && proxy.ready();
}

interface SampleNeeds {
  readonly registry: Registry;
  readonly proxy: RunningProxy;
  readonly listener: Listener;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Samples where nothing of the Swarm can be reached from here. Without its registry the process serves on from its
 * snapshot, and samples, which only the registry can make known, have to be done without.
 */
async function samplesWhereNeeded(needs: SampleNeeds): Promise<RunningSamples | undefined> {
  const { registry, proxy, listener, logger, signal } = needs;
  if (!isHeard(proxy)) return undefined;
  try {
    // What a crash left behind would lead to ports that are somebody else's by now.
    await removeSampleServices(registry, signal);
    const followsSwarm = await becomesTrue(() => listener.ready(), swarmPatienceMs, signal);
    if (followsSwarm) await becomesTrue(() => proxy.usableRoutes().length > 0, routePatienceMs / 5, signal);
    if (signal.aborted || proxy.usableRoutes().length > 0) return undefined;
    return await startSampleServices(registry, logger, signal);
  } catch (cause) {
    if (!(cause instanceof RegistryError) || signal.aborted) throw cause;
    logger.warn({ code: cause.code, error: cause.message }, 'the registry takes no sample services: there are none');
    return undefined;
  }
}

/** For as long as it takes. */
async function becomesTrueOrSay(condition: () => boolean, say: () => void, signal: AbortSignal): Promise<void> {
  if (condition() || signal.aborted) return;
  say();
  await becomesTrue(condition, Number.POSITIVE_INFINITY, signal);
}

async function becomesTrue(condition: () => boolean, withinMs: number, signal: AbortSignal): Promise<boolean> {
  const deadlineMs = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > deadlineMs || !(await pause(50, signal))) return condition();
  }
  return true;
}
