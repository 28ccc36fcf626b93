import { backoffMs, createWake, type Logger, pause, type Running } from '@swarmgate/runtime';
import { createArmedServices } from './armed-services.ts';
import { createBurst } from './burst.ts';
import { isConverged } from './convergence.ts';
import type { Observation, ObserverCounts, ObserverState } from './observation.ts';
import type { SwarmClient } from './swarm-client.ts';
import { toSwarmError } from './swarm-error.ts';
import type { SwarmEvent, SwarmService } from './swarm-objects.ts';
import * as views from './swarm-view.ts';

export interface Observer extends Running {
  state(): ObserverState;
  /** Lists everything anew as soon as possible. */
  requestListing(): void;
  /** Somebody on the task's node saw its container going. */
  taskGoing(serviceId: string, taskId: string): void;
  counts(): ObserverCounts;
}

export interface ObserverOptions {
  readonly client: SwarmClient;
  readonly isSelected: (service: SwarmService) => boolean;
  readonly onObservation: (observation: Observation) => void;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Time between two full listings. */
  readonly resyncIntervalMs: number;
  /** Default true. */
  readonly useServiceEvents?: boolean;
  /** Default true. */
  readonly useNodeEvents?: boolean;
}

/**
 * How often the tasks of armed services are listed, and of all the others. A service that has not converged when it is
 * disarmed needs no third interval: the sweep lists every service that has not converged in full, each time.
 */
const armedIntervalMs = 100;
const sweepIntervalMs = 2_000;
/** How long a service is armed: Swarm needs a moment to begin; what does not converge is not asked for all the time. */
const arming = { leastMs: 1_000, mostMs: 300_000 };
/** How long a container that was seen going is believed to go although Swarm does not say so. */
const goingBeliefMs = 10_000;
/** More changed services than this are cheaper to list than to inspect one by one. */
const mostInspects = 32;

/** Follows the Swarm for ever. Docker away is a state, not an error: what is known stays, and it goes on trying. */
export function observeSwarm(options: ObserverOptions): Observer {
  const { client, logger } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const wake = createWake();
  const burst = createBurst({ quietMs: 20, mostMs: 100 });
  const armed = createArmedServices(arming);
  const counts = { events: 0, listings: 0, inspects: 0, taskListings: 0, reconnects: 0 };

  let state: ObserverState = {
    kind: 'away',
    sinceMs: Date.now(),
    answeredAtMs: undefined,
    reason: 'not connected yet',
  };
  let view: views.SwarmView | undefined;
  let listingWanted = false;
  let changedServices = new Set<string>();
  let nodesChanged = false;
  let eventAtMs: number | undefined;

  function emit(cause: Observation['cause'], changed: Observation['changed'], since?: number): void {
    if (view === undefined || (changed !== 'all' && changed.size === 0)) return;
    options.onObservation({ view, changed, cause, ...(since === undefined ? {} : { eventAtMs: since }) });
  }

  function answered(): void {
    state = { kind: 'following', swarmId: view?.swarmId ?? '', answeredAtMs: Date.now() };
  }

  const selectedIds = () =>
    view === undefined ? [] : [...view.services.values()].filter(options.isSelected).map(({ id }) => id);

  function takeEvent(event: SwarmEvent): void {
    counts.events++;
    if (event.kind === 'task-going') {
      taskGoing(event.serviceId, event.taskId);
      return;
    }
    if (event.kind === 'service') {
      if (options.useServiceEvents === false) return;
      changedServices.add(event.serviceId);
    } else {
      if (options.useNodeEvents === false) return;
      nodesChanged = true;
    }
    eventAtMs ??= Date.now();
    burst.add(performance.now());
    wake.wake();
  }

  function taskGoing(serviceId: string, taskId: string): void {
    if (view === undefined || !view.tasks.get(serviceId)?.some((task) => task.id === taskId)) return;
    view = views.withGoing(view, taskId, Date.now() + goingBeliefMs);
    armed.arm([serviceId], performance.now());
    emit('tasks', new Set([serviceId]), Date.now());
    wake.wake();
  }

  /** @param known the view that the same connection gave before */
  async function listAll(known?: views.SwarmView): Promise<void> {
    listingWanted = false;
    // Whatever was announced before the listing is in it.
    changedServices = new Set();
    nodesChanged = false;
    burst.take(performance.now());
    const since = eventAtMs;
    eventAtMs = undefined;
    const [swarmId, services, nodes, networks] = await Promise.all([
      client.swarmId(signal),
      client.services(signal),
      client.nodes(signal),
      client.networks(signal),
    ]);
    const serviceIds = services.filter(options.isSelected).map(({ id }) => id);
    const tasks = await client.tasks({ serviceIds }, signal);
    counts.listings++;
    const listing = { swarmId, services, tasks, nodes, networks };
    view = known === undefined ? views.viewOf(listing, view?.going) : views.listedAgain(known, listing);
    answered();
    emit('listing', 'all', since);
    armed.arm(unconverged(serviceIds), performance.now());
  }

  const unconverged = (serviceIds: readonly string[]) =>
    serviceIds.filter((id) => {
      const service = view?.services.get(id);
      return service !== undefined && !isConverged(service, view?.tasks.get(id) ?? []);
    });

  async function refreshChanged(): Promise<void> {
    if (view === undefined || changedServices.size > mostInspects) return listAll(view);
    const ids = [...changedServices];
    const withNodes = nodesChanged;
    const since = eventAtMs;
    changedServices = new Set();
    nodesChanged = false;
    eventAtMs = undefined;
    burst.take(performance.now());
    const [inspected, tasks, nodes] = await Promise.all([
      Promise.all(ids.map(async (id) => [id, await client.service(id, signal)] as const)),
      client.tasks({ serviceIds: ids }, signal),
      withNodes ? client.nodes(signal) : undefined,
    ]);
    counts.inspects += ids.length;
    view = views.withServices(view, new Map(inspected), tasks);
    if (nodes !== undefined) view = views.withNodes(view, nodes);
    if (namesUnknownNetwork(inspected.map(([, service]) => service))) {
      view = views.withNetworks(view, await client.networks(signal));
    }
    answered();
    emit('event', withNodes ? 'all' : new Set(ids), since);
    // A node that goes, drains or comes back moves tasks of any service.
    armed.arm(withNodes ? selectedIds() : ids.filter((id) => view?.services.has(id)), performance.now());
  }

  function namesUnknownNetwork(services: readonly (SwarmService | undefined)[]): boolean {
    const known = view?.networks;
    return services.some((service) => service?.networks.some((id) => known?.has(id) === false));
  }

  async function listTasks(serviceIds: readonly string[]): Promise<void> {
    if (view === undefined || serviceIds.length === 0) return;
    const tasks = await client.tasks({ serviceIds }, signal);
    counts.taskListings++;
    const before = view;
    view = views.withTasks(view, serviceIds, tasks);
    answered();
    const now = performance.now();
    const changed = new Set<string>();
    for (const id of serviceIds) {
      const service = view.services.get(id);
      const listed = view.tasks.get(id) ?? [];
      armed.seen(id, service === undefined || isConverged(service, listed), now);
      if (views.tasksDiffer(before.tasks.get(id) ?? [], listed)) changed.add(id);
    }
    emit('tasks', changed);
  }

  /** Cheap look at all services: what differs from what is known gets listed in full, at once. */
  async function sweep(): Promise<void> {
    const serviceIds = selectedIds();
    if (view === undefined || serviceIds.length === 0) {
      // Nothing to ask for, but whether Docker still answers decides who may lead.
      await client.swarmId(signal);
      answered();
      return;
    }
    const wanted = Map.groupBy(
      await client.tasks({ serviceIds, wantedRunning: true }, signal),
      (task) => task.serviceId,
    );
    counts.taskListings++;
    answered();
    const known = view.tasks;
    const moved = serviceIds.filter((id) =>
      views.tasksDiffer(
        (known.get(id) ?? []).filter((task) => task.desiredState === 'running'),
        wanted.get(id) ?? [],
      ),
    );
    armed.arm(moved, performance.now());
    await listTasks([...new Set([...moved, ...unconverged(serviceIds)])]);
  }

  function forgetPastBeliefs(): void {
    if (view === undefined) return;
    const next = views.withoutPast(view, Date.now());
    if (next === view) return;
    view = next;
    emit('tasks', new Set(selectedIds()));
  }

  async function follow(): Promise<void> {
    const connection = new AbortController();
    let broken: Error | undefined;
    const events = await client.events(AbortSignal.any([signal, connection.signal]));
    const reading = (async () => {
      for await (const event of events) takeEvent(event);
    })().catch((error: unknown) => {
      broken = toSwarmError(error, "follow Docker's events");
      wake.wake();
    });
    try {
      let listedAt = performance.now();
      let sweptAt = listedAt;
      let armedDueAt = listedAt;
      await listAll();
      logger.info({ docker: client.description, swarmId: view?.swarmId }, 'following the Swarm');
      while (!signal.aborted) {
        if (broken !== undefined) throw broken;
        forgetPastBeliefs();
        const now = performance.now();
        const dueAt = burst.dueAtMs() ?? Number.POSITIVE_INFINITY;
        const armedIds = armed.ids();
        const armedAt = armedIds.length === 0 ? Number.POSITIVE_INFINITY : armedDueAt;
        if (listingWanted || now >= listedAt + options.resyncIntervalMs) {
          listedAt = now;
          await listAll(view);
        } else if (now >= dueAt) {
          await refreshChanged();
        } else if (now >= sweptAt + sweepIntervalMs) {
          sweptAt = now;
          await sweep();
        } else if (now >= armedAt) {
          await listTasks(armedIds);
          // A big stack that moves must not keep the engine busy with our questions: at most a quarter of the time.
          const tookMs = performance.now() - now;
          armedDueAt = now + Math.max(armedIntervalMs, 4 * tookMs);
        } else {
          const next = Math.min(dueAt, armedAt, sweptAt + sweepIntervalMs, listedAt + options.resyncIntervalMs);
          await wake.wait(Math.max(1, next - now), signal);
        }
      }
    } finally {
      connection.abort();
      await reading;
    }
  }

  async function run(): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await follow();
      } catch (error) {
        if (signal.aborted) return;
        const wasFollowing = state.kind === 'following';
        if (wasFollowing) attempt = 0;
        const { code, message } = toSwarmError(error, 'observe the Swarm');
        // Once for each outage and each new reason: whoever reads the log at night has seen the first line.
        if (wasFollowing || (state.kind === 'away' && state.reason !== message)) {
          logger.warn(
            { code, docker: client.description },
            `Docker is away, what is known stays published: ${message}`,
          );
        }
        const sinceMs = state.kind === 'away' ? state.sinceMs : Date.now();
        state = { kind: 'away', sinceMs, answeredAtMs: state.answeredAtMs, reason: message };
        counts.reconnects++;
        await pause(backoffMs(attempt, 100, 5_000), signal);
      }
    }
  }

  const running = run();
  return {
    state: () => state,
    requestListing() {
      listingWanted = true;
      wake.wake();
    },
    taskGoing,
    counts: () => ({ ...counts }),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
