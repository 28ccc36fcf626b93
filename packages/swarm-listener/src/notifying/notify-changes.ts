import type { NamingOptions } from '../labels/service-parameters.ts';
import {
  isSelected,
  nodeInfoOf,
  notifiedNames,
  parametersOf,
  publishedName,
  waitsForTasks,
} from '../labels/service-parameters.ts';
import type { SwarmNode, SwarmService } from '../swarm/swarm-objects.ts';
import type { SwarmView } from '../swarm/swarm-view.ts';

/** What was last sent of each service and node, by id. */
export interface Notified {
  readonly services: ReadonlyMap<string, NotifiedService>;
  readonly nodes: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

export interface NotifiedService {
  readonly name: string;
  /** `com.df.notifyService`; absent: all targets. */
  readonly names?: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}

export interface NotifyOptions extends NamingOptions {
  /** `DF_INCLUDE_NODE_IP_INFO`. */
  readonly includeNodeInfo: boolean;
  /** `DF_NOTIFY_CREATE_SERVICE_IMMEDIATELY`. */
  readonly immediately: boolean;
}

export interface PendingNotification {
  readonly of: 'service' | 'node';
  readonly kind: 'create' | 'remove';
  readonly id: string;
  readonly names?: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}

export const nothingNotified: Notified = { services: new Map(), nodes: new Map() };

/** The notifications to send now, and the state once they are sent. Pure. */
export function decideNotifications(
  view: SwarmView,
  notified: Notified,
  options: NotifyOptions,
): { readonly pending: readonly PendingNotification[]; readonly notified: Notified } {
  const pending: PendingNotification[] = [];
  const services = new Map<string, NotifiedService>();
  for (const service of view.services.values()) {
    if (!isSelected(service, options)) continue;
    const before = notified.services.get(service.id);
    const next = notifiedService(service, view, options);
    if (next === undefined) {
      // No task runs yet: what was sent of it before still holds.
      if (before !== undefined) services.set(service.id, before);
      continue;
    }
    services.set(service.id, next);
    if (before !== undefined && isSame(before.parameters, next.parameters)) continue;
    pending.push({ of: 'service', kind: 'create', id: service.id, ...namesOf(next), parameters: next.parameters });
  }
  for (const [id, gone] of notified.services) {
    if (services.has(id)) continue;
    const parameters = { serviceName: gone.name, distribute: 'true' };
    pending.push({ of: 'service', kind: 'remove', id, ...namesOf(gone), parameters });
  }
  const nodes = new Map([...view.nodes.values()].map((node) => [node.id, nodeParameters(node)]));
  for (const [id, parameters] of nodes) {
    const before = notified.nodes.get(id);
    // Every heartbeat of a node raises its version index: that alone is no change.
    const isNews =
      before === undefined || !isSame({ ...before, versionIndex: parameters.versionIndex ?? '' }, parameters);
    if (isNews) pending.push({ of: 'node', kind: 'create', id, parameters });
  }
  for (const [id, { hostname = '', address = '' }] of notified.nodes) {
    if (!nodes.has(id)) pending.push({ of: 'node', kind: 'remove', id, parameters: { id, hostname, address } });
  }
  return { pending, notified: { services, nodes } };
}

/** Docker Flow's flat form of a node, as get-nodes returns it and notifications carry it. */
export function nodeParameters(node: SwarmNode): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(node.labels)) {
    if (key.startsWith('com.df.')) labels[key.slice('com.df.'.length)] = value;
  }
  return {
    ...labels,
    id: node.id,
    hostname: node.hostname,
    address: node.address,
    versionIndex: String(node.versionIndex),
    state: node.state,
    role: node.role,
    availability: node.availability,
  };
}

/** Docker Flow's flat form of a selected service, with the location of its tasks where `includeNodeInfo`. */
export function serviceParameters(
  service: SwarmService,
  view: SwarmView,
  options: NamingOptions & { readonly includeNodeInfo: boolean },
): Record<string, string> {
  const parameters = parametersOf(service, options);
  if (options.includeNodeInfo) {
    parameters.nodeInfo = nodeInfoOf(service, view.tasks.get(service.id) ?? [], view.nodes);
  }
  return parameters;
}

function notifiedService(service: SwarmService, view: SwarmView, options: NotifyOptions): NotifiedService | undefined {
  const runs = view.tasks
    .get(service.id)
    ?.some(({ state, desiredState }) => state === 'running' && desiredState === 'running');
  if (waitsForTasks(service) && !options.immediately && runs !== true) return undefined;
  const names = notifiedNames(service);
  return {
    name: publishedName(service, options),
    parameters: serviceParameters(service, view, options),
    ...(names === undefined ? {} : { names }),
  };
}

function namesOf({ names }: NotifiedService): { readonly names?: readonly string[] } {
  return names === undefined ? {} : { names };
}

function isSame(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}
