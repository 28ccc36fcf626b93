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

/** Meant for the listener itself: no part of what is published or notified. */
const ownLabels = new Set(['notify', 'shortName', 'notifyService']);

/**
 * Whether this service asks for routes. Docker Flow looked at the label's presence in listings and at its value in
 * events, so `notify=false` leaked; here the value decides everywhere. Scaled to nothing is not selected either.
 */
export function isSelected(service: SwarmService, { notifyLabel }: NamingOptions): boolean {
  if (service.mode.kind === 'job') return false;
  if (service.mode.kind === 'replicated' && service.mode.replicas === 0) return false;
  return isTrue(service.labels[notifyLabel]);
}

/**
 * Whether the value of the notify label is none of Go's booleans: the service asks for something, and nobody can tell
 * what. It is looked at like a selected one, so that its owner reads why it has no route.
 */
export function isSelectionUnclear(service: SwarmService, { notifyLabel }: NamingOptions): boolean {
  const value = service.labels[notifyLabel]?.trim() ?? '';
  return value !== '' && !parseBoolean(value).ok;
}

/** The name under which a service is published: without its stack where `com.df.shortName` asks for it, then prefixed. */
export function publishedName(service: SwarmService, { serviceNamePrefix }: NamingOptions): string {
  const stack = service.labels[stackLabel];
  const isShort = isTrue(service.labels[`${labelPrefix}shortName`]) && stack !== undefined;
  const name = isShort && service.name.startsWith(`${stack}_`) ? service.name.slice(stack.length + 1) : service.name;
  return `${serviceNamePrefix}${name}`;
}

/**
 * Docker Flow's flat parameters of one service, as get-services answers and notifications carry them: every `com.df.X`
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

/** Which notification URLs hear of a service: `com.df.notifyService`, a comma list. `undefined`: all of them. */
export function notifiedNames(service: SwarmService): readonly string[] | undefined {
  const names = (service.labels[`${labelPrefix}notifyService`] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length === 0 ? undefined : names;
}

/** Notifications about services that are scraped wait for a running task on that network. */
export function waitsForTasks(service: SwarmService): boolean {
  return (service.labels[`${labelPrefix}scrapeNetwork`] ?? '') !== '';
}
