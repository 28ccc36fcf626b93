import { backoffMs, createSignal, type Logger, pause, type Running, type Tasks } from '@swarmgate/runtime';
import { isConverged } from './convergence.ts';
import { createDebounce } from './debounce.ts';
import { createFastPolledServices } from './fast-polled-services.ts';
import type { Observation, ObserverCounts, ObserverState } from './observation.ts';
import type { SwarmClient } from './swarm-client.ts';
import { toSwarmError } from './swarm-error.ts';
import type { SwarmEvent, SwarmService } from './swarm-objects.ts';
import * as views from './swarm-view.ts';

export interface Observer extends Running {
  /** Begins to observe. Called once. */
  start(onObservation: (observation: Observation) => void): void;
  state(): ObserverState;
  /** Milliseconds since Docker last responded to a read; `Infinity` before. */
  silentMs(): number;
  /** Lists everything as soon as possible. */
  requestListing(): void;
  /** A hint from the task's node: its container is being stopped, has ended, or failed its health check. */
  taskTerminating(serviceId: string, taskId: string): void;
  counts(): ObserverCounts;
}

export interface ObserverOptions {
  readonly client: SwarmClient;
  readonly isSelected: (service: SwarmService) => boolean;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly tasks: Pick<Tasks, 'run'>;
  /** Time between two full listings. */
  readonly resyncIntervalMs: number;
  /** Default true. */
  readonly useServiceEvents?: boolean;
  /** Default true. */
  readonly useNodeEvents?: boolean;
}

/**
 * How often the tasks of fast-polled services are listed, and of all others. A service that has not converged when it
 * leaves the fast poll needs no third interval: the task poll lists every service that has not converged, each time.
 */
const fastPollIntervalMs = 100;
const taskPollIntervalMs = 2_000;
/** Between two connections to Docker, in milliseconds; one that has lasted so long begins the pauses again. */
const longestPauseMs = 5_000;
/** How long a service is fast-polled. */
const fastPollLimits = { leastMs: 1_000, mostMs: 300_000 };
/** How long a task counts as terminating after a hint, while Swarm still lists it as running. */
const terminatingHintMs = 10_000;
/** Above this number of changed services one listing is cheaper than inspecting each. */
const mostInspects = 32;

/**
 * Follows the Swarm from its start until it is stopped. An unreachable Docker is a state, not an error: the last view stays, and the observer
 * reconnects with growing pauses of up to 5 s.
 */
export function createObserver(options: ObserverOptions): Observer {
  const { client, logger } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const changed = createSignal();
  const debounce = createDebounce({ quietMs: 20, mostMs: 100 });
  const fastPolled = createFastPolledServices(fastPollLimits);
  const counts = { events: 0, listings: 0, inspects: 0, taskListings: 0, reconnects: 0 };

  let state: ObserverState = {
    kind: 'away',
    sinceMs: Date.now(),
    answeredAtMs: undefined,
    reason: 'not connected yet',
  };
  let view: views.SwarmView | undefined;
  let listingRequired = false;
  let changedServices = new Set<string>();
  let nodesChanged = false;
  let respondedAt = Number.NEGATIVE_INFINITY;
  let followedAtMs = Number.NEGATIVE_INFINITY;
  let eventAtMs: number | undefined;
  let onObservation: ((observation: Observation) => void) | undefined;
  let running: Promise<void> | undefined;

  function emit(cause: Observation['cause'], changed: Observation['changed'], since?: number): void {
    if (view === undefined || (changed !== 'all' && changed.size === 0)) return;
    onObservation?.({ view, changed, cause, ...(since === undefined ? {} : { eventAtMs: since }) });
  }

  function responded(): void {
    respondedAt = performance.now();
    state = { kind: 'following', swarmId: view?.swarmId ?? '', answeredAtMs: Date.now() };
  }

  const selectedIds = () =>
    view === undefined ? [] : [...view.services.values()].filter(options.isSelected).map(({ id }) => id);

  function takeEvent(event: SwarmEvent): void {
    counts.events++;
    logger.debug({ event }, 'Docker event');
    if (event.kind === 'task-terminating') {
      taskTerminating(event.serviceId, event.taskId);
      return;
    }
    if (event.kind === 'service') {
      if (options.useServiceEvents === false) return;
      changedServices.add(event.serviceId);
    } else {
      if (options.useNodeEvents === false) return;
      nodesChanged = true;
    }
    eventAtMs ??= performance.now();
    debounce.add(performance.now());
    changed.notify();
  }

  function taskTerminating(serviceId: string, taskId: string): void {
    if (view === undefined || !view.tasks.get(serviceId)?.some((task) => task.id === taskId)) return;
    view = views.withTerminating(view, taskId, performance.now() + terminatingHintMs);
    fastPolled.add([serviceId], performance.now());
    emit('tasks', new Set([serviceId]), performance.now());
    changed.notify();
  }

  /** @param known the view that the same connection returned before */
  async function listAll(known?: views.SwarmView): Promise<void> {
    listingRequired = false;
    // The listing contains whatever an earlier event announced.
    changedServices = new Set();
    nodesChanged = false;
    debounce.take(performance.now());
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
    logger.debug({ services: services.length, selected: serviceIds.length, tasks: tasks.length }, 'listed the Swarm');
    const listing = { swarmId, services, tasks, nodes, networks };
    view = known === undefined ? views.viewOf(listing, view?.terminating) : views.listedAgain(known, listing);
    responded();
    emit('listing', 'all', since);
    fastPolled.add(unconverged(serviceIds), performance.now());
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
    debounce.take(performance.now());
    const [inspected, tasks, nodes] = await Promise.all([
      Promise.all(ids.map(async (id) => [id, await client.service(id, signal)] as const)),
      client.tasks({ serviceIds: ids }, signal),
      withNodes ? client.nodes(signal) : undefined,
    ]);
    counts.inspects += ids.length;
    const missing = inspected.filter(([, service]) => service === undefined).map(([id]) => id);
    logger.debug({ serviceIds: ids, missing, withNodes }, 'inspected the services that changed');
    view = views.withServices(view, new Map(inspected), tasks);
    if (nodes !== undefined) view = views.withNodes(view, nodes);
    if (namesUnknownNetwork(inspected.map(([, service]) => service))) {
      const networks = await client.networks(signal);
      view = views.withNetworks(view, networks);
    }
    responded();
    emit('event', withNodes ? 'all' : new Set(ids), since);
    // A node that leaves, drains or returns moves tasks of any service.
    fastPolled.add(withNodes ? selectedIds() : ids.filter((id) => view?.services.has(id)), performance.now());
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
    responded();
    const now = performance.now();
    const changed = new Set<string>();
    for (const id of serviceIds) {
      const service = view.services.get(id);
      const listed = view.tasks.get(id) ?? [];
      fastPolled.seen(id, service === undefined || isConverged(service, listed), now);
      if (views.tasksDiffer(before.tasks.get(id) ?? [], listed)) changed.add(id);
    }
    emit('tasks', changed);
  }

  /** Lists the running tasks of all services in one cheap query; services that differ from the view are listed in full. */
  async function pollTasks(): Promise<void> {
    const serviceIds = selectedIds();
    if (view === undefined || serviceIds.length === 0) {
      // No tasks to list, but whether Docker still responds decides if this listener may lead.
      await client.swarmId(signal);
      responded();
      return;
    }
    const required = Map.groupBy(
      await client.tasks({ serviceIds, desiredRunning: true }, signal),
      (task) => task.serviceId,
    );
    counts.taskListings++;
    responded();
    const known = view.tasks;
    const moved = serviceIds.filter((id) =>
      views.tasksDiffer(
        (known.get(id) ?? []).filter((task) => task.desiredState === 'running'),
        required.get(id) ?? [],
      ),
    );
    fastPolled.add(moved, performance.now());
    await listTasks([...new Set([...moved, ...unconverged(serviceIds)])]);
  }

  function dropExpiredHints(): void {
    if (view === undefined) return;
    const next = views.withoutExpiredHints(view, performance.now());
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
      changed.notify();
    });
    try {
      let listedAt = performance.now();
      let taskPolledAt = listedAt;
      let fastPollDueAt = listedAt;
      await listAll();
      followedAtMs = performance.now();
      logger.info({ docker: client.description, swarmId: view?.swarmId }, 'following the Swarm');
      while (!signal.aborted) {
        if (broken !== undefined) throw broken;
        dropExpiredHints();
        const now = performance.now();
        const dueAt = debounce.dueAtMs() ?? Number.POSITIVE_INFINITY;
        const fastPolledIds = fastPolled.ids();
        const fastPollAt = fastPolledIds.length === 0 ? Number.POSITIVE_INFINITY : fastPollDueAt;
        if (listingRequired || now >= listedAt + options.resyncIntervalMs) {
          listedAt = now;
          await listAll(view);
        } else if (now >= dueAt) {
          await refreshChanged();
        } else if (now >= taskPolledAt + taskPollIntervalMs) {
          taskPolledAt = now;
          await pollTasks();
        } else if (now >= fastPollAt) {
          await listTasks(fastPolledIds);
          // A large stack that moves must not keep the engine busy with our queries: a fifth of the time at most.
          const tookMs = performance.now() - now;
          fastPollDueAt = now + Math.max(fastPollIntervalMs, 4 * tookMs);
        } else {
          const next = Math.min(
            dueAt,
            fastPollAt,
            taskPolledAt + taskPollIntervalMs,
            listedAt + options.resyncIntervalMs,
          );
          await changed.wait(Math.max(1, next - now), signal);
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
        // An engine that responds and ends its events at once would be listed ten times a second.
        if (wasFollowing && performance.now() - followedAtMs >= longestPauseMs) attempt = 0;
        const failure = toSwarmError(error, 'observe the Swarm');
        const { message } = failure;
        // Once for each outage and each new reason.
        if (wasFollowing || (state.kind === 'away' && state.reason !== message)) {
          logger.warn({ err: failure, docker: client.description }, 'Docker is unreachable; published services stay');
        } else {
          logger.debug({ err: failure, docker: client.description, attempt }, 'Docker is still unreachable');
        }
        const sinceMs = state.kind === 'away' ? state.sinceMs : Date.now();
        state = { kind: 'away', sinceMs, answeredAtMs: state.answeredAtMs, reason: message };
        counts.reconnects++;
        await pause(backoffMs(attempt, 100, longestPauseMs), signal);
      }
    }
  }

  return {
    start(observer) {
      onObservation = observer;
      running = options.tasks.run('swarm-observer', signal, run);
    },
    state: () => state,
    silentMs: () => performance.now() - respondedAt,
    requestListing() {
      listingRequired = true;
      changed.notify();
    },
    taskTerminating,
    counts: () => ({ ...counts }),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
