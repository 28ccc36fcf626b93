import type { EndpointsDocument, Problem, PublishedPort, TaskEndpoint } from '@swarmgate/registry';
import type { SwarmNetwork, SwarmNode, SwarmService, SwarmTask } from '../swarm/swarm-objects.ts';

/** What the addresses of a service are derived from. */
export interface Surroundings {
  readonly tasks: readonly SwarmTask[];
  readonly nodes: ReadonlyMap<string, SwarmNode>;
  readonly networks: ReadonlyMap<string, SwarmNetwork>;
  /** Tasks with a hint that their container terminates, which Swarm does not list yet. */
  readonly terminating: ReadonlyMap<string, number>;
}

/** Where the document of a service stands. */
interface Place {
  readonly owner: string;
  readonly name: string;
}

/** Every form in which the service can be reached, sorted, so that equal documents compare equal. */
export function endpointsOf(
  service: SwarmService,
  place: Place,
  around: Surroundings,
  sharedNetworks?: SharedNetworks,
): EndpointsDocument {
  if (sharedNetworks !== undefined) return taskEndpointsOf(service, place, around, sharedNetworks);
  const virtualIp = service.virtualIps.find(({ networkId }) => around.networks.get(networkId)?.ingress !== true);
  const network = networkOf(service, virtualIp?.networkId, around);
  return {
    ...named(service, place),
    tasks: tasksOf(around),
    published: publishedPorts(service, around),
    ...(virtualIp === undefined ? {} : { vip: virtualIp.address }),
    ...(network === undefined ? {} : { network }),
  };
}

/** The service is reached by the addresses of its tasks alone. */
export interface SharedNetworks {
  /** Of this network, where the service has joined it. */
  readonly preferred?: string;
}

function taskEndpointsOf(
  service: SwarmService,
  place: Place,
  around: Surroundings,
  { preferred }: SharedNetworks,
): EndpointsDocument {
  const joined = joinedNetworks(service, around.networks);
  const only = joined.find((name) => name === preferred);
  const network = only ?? joined[0];
  return {
    ...named(service, place),
    tasks: tasksOf(around, only),
    published: [],
    ...(network === undefined ? {} : { network }),
    tasksOnly: true,
  };
}

function named({ name: dnsName }: SwarmService, { owner, name: service }: Place) {
  return { version: 1, service, owner, dnsName } as const;
}

/** @param network their addresses of it alone */
function tasksOf(around: Surroundings, network?: string): readonly TaskEndpoint[] {
  return around.tasks
    .flatMap((task) => taskEndpoint(task, around, network))
    .toSorted((left, right) => compare(left.taskId, right.taskId));
}

/** Names of the networks that the service joins, the routing mesh left out. */
export function joinedNetworks(service: SwarmService, networks: ReadonlyMap<string, SwarmNetwork>): readonly string[] {
  return service.networks.flatMap((idOrName) => {
    const network = networks.get(idOrName) ?? byName(networks, idOrName);
    return network === undefined || network.ingress ? [] : [network.name];
  });
}

/** @param network its addresses alone */
function taskEndpoint(task: SwarmTask, around: Surroundings, network?: string): readonly TaskEndpoint[] {
  const addresses = task.attachments
    .filter(({ ingress, networkName }) => !ingress && (network === undefined || networkName === network))
    .flatMap(({ addresses }) => addresses);
  const state = taskState(task, around);
  if (state === undefined) return [];
  return [{ taskId: task.id, nodeId: task.nodeId ?? '', state, addresses: addresses.toSorted(compare) }];
}

/**
 * `active` while the task runs and its desired state is to run; `draining` from the decision to end it until it has ended. `undefined`
 * before it runs, and on a node that is down, where no request can finish.
 */
function taskState(task: SwarmTask, around: Surroundings): TaskEndpoint['state'] | undefined {
  if (task.state !== 'running') return undefined;
  const shouldRun = task.desiredState === 'running';
  if (!shouldRun && around.nodes.get(task.nodeId ?? '')?.state === 'down') return undefined;
  return shouldRun && !around.terminating.has(task.id) ? 'active' : 'draining';
}

function publishedPorts(service: SwarmService, around: Surroundings): readonly PublishedPort[] {
  const ports = service.ports.filter(({ protocol }) => protocol === 'tcp');
  const found: PublishedPort[] = [];
  for (const port of ports.filter(({ mode, published }) => mode === 'ingress' && published > 0)) {
    // The routing mesh accepts connections on every node, whether a task runs there or not.
    for (const node of around.nodes.values()) {
      if (node.state !== 'ready' || node.address === '') continue;
      found.push({ host: node.address, port: port.published, targetPort: port.target });
    }
  }
  const hostMode = ports.filter(({ mode }) => mode === 'host');
  for (const task of hostMode.length === 0 ? [] : around.tasks) {
    const host = around.nodes.get(task.nodeId ?? '')?.address ?? '';
    if (host === '' || taskState(task, around) !== 'active') continue;
    // The task lists the ports that its node opened; the service only those that were requested by number.
    const requested = hostMode.filter(({ published }) => published > 0);
    for (const opened of task.hostPorts.length > 0 ? task.hostPorts : requested) {
      found.push({ host, port: opened.published, targetPort: opened.target });
    }
  }
  const unique = new Map(found.map((port) => [`${port.host}:${port.port}:${port.targetPort}`, port]));
  return [...unique.entries()].toSorted(([left], [right]) => compare(left, right)).map(([, port]) => port);
}

/** The name of the network of the virtual IP, else of the first one that the service joins. */
function networkOf(
  service: SwarmService,
  networkId: string | undefined,
  { tasks, networks }: Surroundings,
): string | undefined {
  const [first] = joinedNetworks(service, networks);
  const ofVip = networkId === undefined ? undefined : networks.get(networkId)?.name;
  const attached = tasks.flatMap(({ attachments }) => attachments).find(({ ingress }) => !ingress)?.networkName;
  return ofVip ?? first ?? attached;
}

function byName(networks: ReadonlyMap<string, SwarmNetwork>, name: string): SwarmNetwork | undefined {
  return [...networks.values()].find((network) => network.name === name);
}

/**
 * A service that joins no network and publishes no port is unreachable, wherever the proxy runs. One whose every destination
 * has `outboundHostname` needs neither.
 */
export function unreachableProblem(
  service: SwarmService,
  networks: ReadonlyMap<string, SwarmNetwork>,
  hasOutboundHostname: boolean,
): Problem | undefined {
  const joins = service.networks.some((id) => networks.get(id)?.ingress !== true);
  const publishes = service.ports.some(({ protocol }) => protocol === 'tcp');
  if (joins || publishes || hasOutboundHostname) return undefined;
  return {
    severity: 'warning',
    reason: 'service-unreachable',
    message: `no proxy can reach ${service.name}: it joins no overlay network and publishes no TCP port`,
    suggestion:
      "attach it to the proxy's network (docker service update --network-add <network>), or publish a port " +
      '(docker service update --publish-add mode=host,target=<port>,published=<port>)',
  };
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
