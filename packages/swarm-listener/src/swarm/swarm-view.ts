import type { SwarmNetwork, SwarmNode, SwarmService, SwarmTask } from './swarm-objects.ts';

/** What is known of the Swarm. Never changed, only replaced. */
export interface SwarmView {
  readonly swarmId: string;
  readonly services: ReadonlyMap<string, SwarmService>;
  /** By service id; of selected services only. */
  readonly tasks: ReadonlyMap<string, readonly SwarmTask[]>;
  readonly nodes: ReadonlyMap<string, SwarmNode>;
  readonly networks: ReadonlyMap<string, SwarmNetwork>;
  /** Tasks whose containers are going although Swarm does not say so yet, until when that is believed (epoch ms). */
  readonly going: ReadonlyMap<string, number>;
  /** The highest version index in the listing and since: how fresh the manager was that answered. */
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

export function viewOf(listing: SwarmListing, going: ReadonlyMap<string, number> = new Map()): SwarmView {
  return {
    swarmId: listing.swarmId,
    services: byId(listing.services),
    tasks: byService(listing.tasks),
    nodes: byId(listing.nodes),
    networks: byId(listing.networks),
    going,
    highestVersionIndex: highest(0, listing.services, listing.tasks, listing.nodes),
  };
}

/**
 * Another listing by the manager that said `before`. What it said then it has not forgotten, so a list without its newest
 * services is no older for it: they were removed. (Only a new connection may lead to a manager that lags behind.)
 */
export function listedAgain(before: SwarmView, listing: SwarmListing): SwarmView {
  const view = viewOf(listing, before.going);
  return before.swarmId === view.swarmId
    ? { ...view, highestVersionIndex: Math.max(before.highestVersionIndex, view.highestVersionIndex) }
    : view;
}

/** `services`: what an inspect of each id answered, `undefined` when Docker knows it no more. */
export function withServices(
  view: SwarmView,
  services: ReadonlyMap<string, SwarmService | undefined>,
  tasks: readonly SwarmTask[],
): SwarmView {
  const next = new Map(view.services);
  for (const [id, service] of services) {
    if (service === undefined) next.delete(id);
    // An answer older than what is known comes from a manager that lags behind.
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

/** All tasks of these services, listed anew. */
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

export function withGoing(view: SwarmView, taskId: string, untilMs: number): SwarmView {
  return { ...view, going: new Map(view.going).set(taskId, untilMs) };
}

/** Without the beliefs that have had their time. The same view when there are none. */
export function withoutPast(view: SwarmView, nowMs: number): SwarmView {
  const going = new Map([...view.going].filter(([, untilMs]) => untilMs > nowMs));
  return going.size === view.going.size ? view : { ...view, going };
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
