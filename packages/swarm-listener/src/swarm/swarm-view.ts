import type { SwarmNetwork, SwarmNode, SwarmService, SwarmTask } from './swarm-objects.ts';

/** The state of the Swarm as last read. Immutable: every change makes a new view. */
export interface SwarmView {
  readonly swarmId: string;
  readonly services: ReadonlyMap<string, SwarmService>;
  /** By service id; of selected services only. */
  readonly tasks: ReadonlyMap<string, readonly SwarmTask[]>;
  readonly nodes: ReadonlyMap<string, SwarmNode>;
  readonly networks: ReadonlyMap<string, SwarmNetwork>;
  /** Tasks with a hint that their container terminates, which Swarm does not list yet → when the hint expires (epoch ms). */
  readonly terminating: ReadonlyMap<string, number>;
  /** The highest Raft index in the listing and since: how recent the state of the manager was that responded. */
  readonly highestVersionIndex: number;
}

/** One full listing. */
export interface SwarmListing {
  readonly swarmId: string;
  readonly services: readonly SwarmService[];
  readonly tasks: readonly SwarmTask[];
  readonly nodes: readonly SwarmNode[];
  readonly networks: readonly SwarmNetwork[];
}

export function viewOf(listing: SwarmListing, terminating: ReadonlyMap<string, number> = new Map()): SwarmView {
  return {
    swarmId: listing.swarmId,
    services: byId(listing.services),
    tasks: byService(listing.tasks),
    nodes: byId(listing.nodes),
    networks: byId(listing.networks),
    terminating,
    highestVersionIndex: highest(0, listing.services, listing.tasks, listing.nodes),
  };
}

/**
 * Another listing by the manager that returned `before`. Its state only moves forward, so a list without the newest services
 * is not older: they were removed. (Only a new connection can lead to a manager that lags behind.)
 */
export function listedAgain(before: SwarmView, listing: SwarmListing): SwarmView {
  const view = viewOf(listing, before.terminating);
  return before.swarmId === view.swarmId
    ? { ...view, highestVersionIndex: Math.max(before.highestVersionIndex, view.highestVersionIndex) }
    : view;
}

/** @param services the result of inspecting each id; `undefined`: Docker responds with 404 */
export function withServices(
  view: SwarmView,
  services: ReadonlyMap<string, SwarmService | undefined>,
  tasks: readonly SwarmTask[],
): SwarmView {
  const next = new Map(view.services);
  for (const [id, service] of services) {
    if (service === undefined) next.delete(id);
    // A response older than the view comes from a manager that lags behind.
    else if (service.versionIndex >= (next.get(id)?.versionIndex ?? 0)) next.set(id, service);
  }
  const seen = withTasks(view, [...services.keys()], tasks);
  return {
    ...seen,
    services: next,
    highestVersionIndex: highest(
      seen.highestVersionIndex,
      [...services.values()].filter((service) => service !== undefined),
    ),
  };
}

/** @param tasks all tasks of these services, just listed */
export function withTasks(view: SwarmView, serviceIds: readonly string[], tasks: readonly SwarmTask[]): SwarmView {
  const next = new Map(view.tasks);
  for (const id of serviceIds) next.delete(id);
  for (const [id, ofService] of byService(tasks)) next.set(id, ofService);
  return { ...view, tasks: next, highestVersionIndex: highest(view.highestVersionIndex, tasks) };
}

export function withNodes(view: SwarmView, nodes: readonly SwarmNode[]): SwarmView {
  return { ...view, nodes: byId(nodes), highestVersionIndex: highest(view.highestVersionIndex, nodes) };
}

export function withNetworks(view: SwarmView, networks: readonly SwarmNetwork[]): SwarmView {
  return { ...view, networks: byId(networks) };
}

export function withTerminating(view: SwarmView, taskId: string, untilMs: number): SwarmView {
  return { ...view, terminating: new Map(view.terminating).set(taskId, untilMs) };
}

/** Without expired hints; the same object when none has expired. */
export function withoutExpiredHints(view: SwarmView, nowMs: number): SwarmView {
  const terminating = new Map([...view.terminating].filter(([, untilMs]) => untilMs > nowMs));
  return terminating.size === view.terminating.size ? view : { ...view, terminating };
}

/** Whether the tasks of a service differ in anything that endpoints are made of. */
export function tasksDiffer(left: readonly SwarmTask[], right: readonly SwarmTask[]): boolean {
  const signature = (tasks: readonly SwarmTask[]) =>
    tasks
      .map((task) => `${task.id} ${task.state} ${task.desiredState} ${task.nodeId} ${JSON.stringify(task.hostPorts)}`)
      .toSorted()
      .join('\n');
  return signature(left) !== signature(right);
}

function byId<T extends { readonly id: string }>(objects: readonly T[]): ReadonlyMap<string, T> {
  return new Map(objects.map((object) => [object.id, object]));
}

function byService(tasks: readonly SwarmTask[]): ReadonlyMap<string, readonly SwarmTask[]> {
  return Map.groupBy(tasks, (task) => task.serviceId);
}

function highest(start: number, ...lists: readonly (readonly { readonly versionIndex: number }[])[]): number {
  let most = start;
  for (const list of lists) for (const { versionIndex } of list) if (versionIndex > most) most = versionIndex;
  return most;
}
