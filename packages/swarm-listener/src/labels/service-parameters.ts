import { isTrue, parseBoolean } from '@swarmgate/runtime';
import type { SwarmNode, SwarmService, SwarmTask } from '../swarm/swarm-objects.ts';

export interface NamingOptions {
  /** Key of the label that selects a service: `DF_NOTIFY_LABEL`, by default `com.df.notify`. */
  readonly notifyLabel: string;
  /** `DF_SERVICE_NAME_PREFIX`, put before every name. */
  readonly serviceNamePrefix: string;
}

const labelPrefix = 'com.df.';
const stackLabel = 'com.docker.stack.namespace';

/** Labels for the listener itself: neither published nor sent in notifications. */
const ownLabels = new Set(['notify', 'shortName', 'notifyService']);

/**
 * Whether a service requests routes, and if not, why. `unclear`: the value of the notify label is none of Go's booleans; the
 * service is translated like a selected one, so that its problems show its owner why it has no route.
 */
export type Selection = 'selected' | 'unclear' | 'label-missing' | 'label-false' | 'scaled-to-zero' | 'job';

/**
 * Docker Flow decided by the label's presence in listings and by its value in events, so `notify=false` leaked; here the
 * value decides everywhere.
 */
export function selectionOf(service: SwarmService, { notifyLabel }: NamingOptions): Selection {
  const value = service.labels[notifyLabel]?.trim() ?? '';
  if (value === '') return 'label-missing';
  if (!parseBoolean(value).ok) return 'unclear';
  if (service.mode.kind === 'job') return 'job';
  if (service.mode.kind === 'replicated' && service.mode.replicas === 0) return 'scaled-to-zero';
  return isTrue(value) ? 'selected' : 'label-false';
}

export function isSelected(service: SwarmService, options: NamingOptions): boolean {
  return selectionOf(service, options) === 'selected';
}

export function isSelectionUnclear(service: SwarmService, options: NamingOptions): boolean {
  return selectionOf(service, options) === 'unclear';
}

/** The name under which a service is published: without its stack where `com.df.shortName` is true, then prefixed. */
export function publishedName(service: SwarmService, { serviceNamePrefix }: NamingOptions): string {
  const stack = service.labels[stackLabel];
  const isShort = isTrue(service.labels[`${labelPrefix}shortName`]) && stack !== undefined;
  const name = isShort && service.name.startsWith(`${stack}_`) ? service.name.slice(stack.length + 1) : service.name;
  return `${serviceNamePrefix}${name}`;
}

/**
 * Docker Flow's flat parameters of one service, as get-services returns and notifications carry them: every `com.df.X`
 * as `X`, with `serviceName`, `replicas` (not for global services) and `distribute`.
 */
export function parametersOf(service: SwarmService, options: NamingOptions): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [key, value] of Object.entries(service.labels)) {
    if (!key.startsWith(labelPrefix) || key === options.notifyLabel) continue;
    const name = key.slice(labelPrefix.length);
    if (name !== '' && !ownLabels.has(name)) parameters[name] = value;
  }
  parameters.serviceName = publishedName(service, options);
  if (service.mode.kind === 'replicated') parameters.replicas = String(service.mode.replicas);
  parameters.distribute ??= 'true';
  return parameters;
}

/**
 * Where the tasks run, as `DF_INCLUDE_NODE_IP_INFO` adds it: JSON of `[host, address, node id]`, the address being the
 * task's on the network that `com.df.scrapeNetwork` names, else on its first one.
 */
export function nodeInfoOf(
  service: SwarmService,
  tasks: readonly SwarmTask[],
  nodes: ReadonlyMap<string, SwarmNode>,
): string {
  const network = service.labels[`${labelPrefix}scrapeNetwork`];
  const rows = tasks
    .filter((task) => task.state === 'running' && task.desiredState === 'running')
    .flatMap((task) => {
      const attachments = task.attachments.filter(({ ingress }) => !ingress);
      const attached =
        network === undefined ? attachments[0] : attachments.find((each) => each.networkName === network);
      const address = attached?.addresses[0]?.split('/')[0];
      const nodeId = task.nodeId ?? '';
      return address === undefined ? [] : [[nodes.get(nodeId)?.hostname ?? '', address, nodeId]];
    });
  return JSON.stringify(rows.toSorted((left, right) => left.join().localeCompare(right.join())));
}

/** The notification targets of a service: `com.df.notifyService`, a comma list. `undefined`: all. */
export function notifiedNames(service: SwarmService): readonly string[] | undefined {
  const names = (service.labels[`${labelPrefix}notifyService`] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length === 0 ? undefined : names;
}

/** Whether notifications wait for a running task: `com.df.scrapeNetwork` names the network of the task's address. */
export function waitsForTasks(service: SwarmService): boolean {
  return (service.labels[`${labelPrefix}scrapeNetwork`] ?? '') !== '';
}
