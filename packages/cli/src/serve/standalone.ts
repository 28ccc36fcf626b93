import { ownPorts, type RunningProxy, startProxy } from '@swarmgate/proxy';
import { openRegistry, type Registry, RegistryError } from '@swarmgate/registry';
import {
  createLogger,
  type Logger,
  pause,
  warnOfOtelSettingsWithoutEffect,
  warnOfSettingsWithoutEffect,
} from '@swarmgate/runtime';
import { type Listener, startListener } from '@swarmgate/swarm-listener';
import type { CommandIo } from '../io.ts';
import { announce, announceWaiting } from './announce.ts';
import { restartWorkersOnHangup } from './restart-workers.ts';
import { type RunningSamples, removeSampleServices, startSampleServices } from './sample-services.ts';
import { servingSettings } from './serving-settings.ts';
import { untilStopped } from './until-stopped.ts';

/** How long to wait for the registry before that is announced, in milliseconds. */
const registryPatienceMs = 3000;
/** How long to wait for the first listing of the Swarm before samples are served, in milliseconds. */
const swarmPatienceMs = 4000;
/** How long to wait until a published route is served before the announcement, in milliseconds. */
const routePatienceMs = 5000;

/** Listener and proxy in one process, for a first look and for single-node Swarms. */
export async function standalone(io: CommandIo): Promise<void> {
  const settings = servingSettings('standalone', io.env);
  const logger = createLogger({ level: settings.logLevel });
  warnOfSettingsWithoutEffect({ env: io.env }, logger);
  warnOfOtelSettingsWithoutEffect({ env: io.env }, logger);
  await untilStopped(
    logger,
    async (signal, running) => {
      const registry = await openRegistry(settings, logger);
      running.push({ stop: () => registry.store.close() });
      // The listener's REST trusts this machine, too.
      if (settings.listenerPort !== 'off') ownPorts.add(settings.listenerPort);
      const proxy = await startProxy({ settings, registry, logger, env: io.env, signal });
      running.push(proxy, restartWorkersOnHangup(proxy, logger));
      const listener = await startListener({ settings, registry, logger, signal });
      running.push(listener);

      const announceWait = () => io.out(announceWaiting(settings, registry, proxy.state()));
      await becomesTrue(() => isConnected(proxy) || isServingWithout(proxy), registryPatienceMs, signal);
      await becomesTrueOrSay(() => isConnected(proxy) || proxy.ready(), announceWait, signal);
      const samples = await samplesWhereNeeded({ registry, proxy, listener, logger, signal });
      if (samples !== undefined) running.push(samples);
      await becomesTrue(() => proxy.usableRoutes().length > 0, routePatienceMs, signal);
      await becomesTrueOrSay(() => proxy.ready(), announceWait, signal);
      if (signal.aborted) return;
      const followsSwarm = listener.ready();
      io.out(
        announce({ settings, registry, state: proxy.state(), followsSwarm, samples, routes: proxy.usableRoutes() }),
      );
    },
    { stopWithinMs: settings.drainTimeoutMs + 10_000 },
  );
}

/** The registry was read, with services or without. */
function isConnected(proxy: RunningProxy): boolean {
  const { kind } = proxy.state();
  return kind === 'following' || kind === 'holding';
}

/** The registry is unreachable, and the snapshot is served. */
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
 * Starts samples where no service of the Swarm is reachable from this host. Without its registry the process serves its
 * snapshot, and no samples: they are published through the registry.
 */
async function samplesWhereNeeded(needs: SampleNeeds): Promise<RunningSamples | undefined> {
  const { registry, proxy, listener, logger, signal } = needs;
  if (!isConnected(proxy)) return undefined;
  try {
    // Samples that a crash left behind would lead to ports that another program may have by now.
    await removeSampleServices(registry, signal);
    const followsSwarm = await becomesTrue(() => listener.ready(), swarmPatienceMs, signal);
    if (followsSwarm) await becomesTrue(() => proxy.usableRoutes().length > 0, routePatienceMs / 5, signal);
    if (signal.aborted || proxy.usableRoutes().length > 0) return undefined;
    return await startSampleServices(registry, logger, signal);
  } catch (cause) {
    if (!(cause instanceof RegistryError) || signal.aborted) throw cause;
    logger.warn({ err: cause }, 'cannot publish the sample services');
    return undefined;
  }
}

/** Calls `say` unless the condition holds already, and waits without a limit. */
async function becomesTrueOrSay(condition: () => boolean, say: () => void, signal: AbortSignal): Promise<void> {
  if (condition() || signal.aborted) return;
  say();
  await becomesTrue(condition, Number.POSITIVE_INFINITY, signal);
}

async function becomesTrue(condition: () => boolean, withinMs: number, signal: AbortSignal): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadlineMs || !(await pause(50, signal))) return condition();
  }
  return true;
}
