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

/** What was told about each subject the last time: service and node ids → parameters. */
export interface Told {
  readonly services: ReadonlyMap<string, ToldService>;
  readonly nodes: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

export interface ToldService {
  readonly name: string;
  /** `com.df.notifyService`; absent: everyone. */
  readonly names?: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}

export interface NotifyOptions extends NamingOptions {
  /** `DF_INCLUDE_NODE_IP_INFO`. */
  readonly includeNodeInfo: boolean;
  /** `DF_NOTIFY_CREATE_SERVICE_IMMEDIATELY`. */
  readonly immediately: boolean;
}

export interface ToTell {
  readonly of: 'service' | 'node';
  readonly kind: 'create' | 'remove';
  readonly id: string;
  readonly names?: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}

export const nothingTold: Told = { services: new Map(), nodes: new Map() };

/** What other tools have to hear now, and what will have been told then. Pure. */
export function decideNotifications(
  view: SwarmView,
  told: Told,
  options: NotifyOptions,
): { readonly tell: readonly ToTell[]; readonly told: Told } {
  const tell: ToTell[] = [];
  const services = new Map<string, ToldService>();
  for (const service of view.services.values()) {
    if (!isSelected(service, options)) continue;
    const before = told.services.get(service.id);
    const next = toldService(service, view, options);
    if (next === undefined) {
      // Not running yet: what was told about it still holds.
      if (before !== undefined) services.set(service.id, before);
      continue;
    }
    services.set(service.id, next);
    if (before !== undefined && isSame(before.parameters, next.parameters)) continue;
    tell.push({ of: 'service', kind: 'create', id: service.id, ...namesOf(next), parameters: next.parameters });
  }
  for (const [id, gone] of told.services) {
    if (services.has(id)) continue;
    const parameters = { serviceName: gone.name, distribute: 'true' };
    tell.push({ of: 'service', kind: 'remove', id, ...namesOf(gone), parameters });
  }
  const nodes = new Map([...view.nodes.values()].map((node) => [node.id, nodeParameters(node)]));
  for (const [id, parameters] of nodes) {
    const before = told.nodes.get(id);
    // Every sign of life raises the version: that alone is no news.
    const isNews =
      before === undefined || !isSame({ ...before, versionIndex: parameters.versionIndex ?? '' }, parameters);
    if (isNews) tell.push({ of: 'node', kind: 'create', id, parameters });
  }
  for (const [id, { hostname = '', address = '' }] of told.nodes) {
    if (!nodes.has(id)) tell.push({ of: 'node', kind: 'remove', id, parameters: { id, hostname, address } });
  }
  return { tell, told: { services, nodes } };
}

/** Docker Flow's flat form of a node: get-nodes answers it, and notifications carry it. */
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

/** Docker Flow's flat form of a selected service, with where its tasks run if that is wanted. */
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

function toldService(service: SwarmService, view: SwarmView, options: NotifyOptions): ToldService | undefined {
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

function namesOf({ names }: ToldService): { readonly names?: readonly string[] } {
  return names === undefined ? {} : { names };
}

function isSame(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}
