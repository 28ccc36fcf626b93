import { z } from 'zod';
import { SwarmError } from './swarm-error.ts';
import type { ServiceMode, SwarmNetwork, SwarmNode, SwarmService, SwarmTask } from './swarm-objects.ts';

const version = z.object({ Index: z.number() });
const stringMap = z.record(z.string(), z.string()).nullish();
const networkTargets = z.array(z.object({ Target: z.string().nullish() })).nullish();

const mounted = z.array(z.object({ File: z.object({ Name: z.string().nullish() }).nullish() })).nullish();

const container = z.object({
  Image: z.string().nullish(),
  Command: z.array(z.string()).nullish(),
  Args: z.array(z.string()).nullish(),
  Env: z.array(z.string()).nullish(),
  Configs: mounted,
  Secrets: mounted,
});

const service = z.object({
  ID: z.string(),
  Version: version,
  CreatedAt: z.string().nullish(),
  Spec: z.object({
    Name: z.string(),
    Labels: stringMap,
    TaskTemplate: z.object({ Networks: networkTargets, ContainerSpec: container.nullish() }).nullish(),
    // Until API 1.44 networks could also be set here; engines still return them for old services.
    Networks: networkTargets,
    Mode: z
      .object({
        Replicated: z.object({ Replicas: z.number().nullish() }).nullish(),
        Global: z.object({}).nullish(),
        ReplicatedJob: z.object({}).nullish(),
        GlobalJob: z.object({}).nullish(),
      })
      .nullish(),
  }),
  Endpoint: z
    .object({
      Ports: z
        .array(
          z.object({
            Protocol: z.string().nullish(),
            TargetPort: z.number(),
            PublishedPort: z.number().nullish(),
            PublishMode: z.string().nullish(),
          }),
        )
        .nullish(),
      VirtualIPs: z.array(z.object({ NetworkID: z.string().nullish(), Addr: z.string().nullish() })).nullish(),
    })
    .nullish(),
  UpdateStatus: z.object({ State: z.string().nullish() }).nullish(),
});

const task = z.object({
  ID: z.string(),
  Version: version,
  ServiceID: z.string().nullish(),
  NodeID: z.string().nullish(),
  DesiredState: z.string(),
  Status: z.object({
    State: z.string(),
    PortStatus: z
      .object({
        Ports: z
          .array(
            z.object({ Protocol: z.string().nullish(), TargetPort: z.number(), PublishedPort: z.number().nullish() }),
          )
          .nullish(),
      })
      .nullish(),
  }),
  NetworksAttachments: z
    .array(
      z.object({
        Network: z.object({
          ID: z.string(),
          Spec: z.object({ Name: z.string().nullish(), Ingress: z.boolean().nullish() }),
        }),
        Addresses: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
});

const node = z.object({
  ID: z.string(),
  Version: version,
  Spec: z.object({ Labels: stringMap, Role: z.string().nullish(), Availability: z.string().nullish() }),
  Description: z.object({ Hostname: z.string().nullish() }).nullish(),
  Status: z.object({ State: z.string().nullish(), Addr: z.string().nullish() }).nullish(),
  ManagerStatus: z.object({ Addr: z.string().nullish() }).nullish(),
});

const network = z.object({ Id: z.string(), Name: z.string(), Ingress: z.boolean().nullish() });

/** @throws SwarmError `docker-answer-unusable` */
export function parseService(response: unknown): SwarmService {
  const { ID, Version, CreatedAt, Spec, Endpoint, UpdateStatus } = parse(service, response, 'service');
  const targets = [...(Spec.TaskTemplate?.Networks ?? []), ...(Spec.Networks ?? [])].map(({ Target }) => Target ?? '');
  return {
    id: ID,
    name: Spec.Name,
    versionIndex: Version.Index,
    createdAt: CreatedAt ?? '',
    labels: Spec.Labels ?? {},
    mode: modeOf(Spec.Mode),
    networks: [...new Set(targets.filter((target) => target !== ''))],
    virtualIps: (Endpoint?.VirtualIPs ?? []).flatMap(({ NetworkID, Addr }) =>
      NetworkID && Addr ? [{ networkId: NetworkID, address: Addr }] : [],
    ),
    ports: (Endpoint?.Ports ?? []).map((port) => ({
      protocol: port.Protocol ?? 'tcp',
      target: port.TargetPort,
      published: port.PublishedPort ?? 0,
      mode: port.PublishMode === 'host' ? 'host' : 'ingress',
    })),
    ...(UpdateStatus?.State ? { updateState: UpdateStatus.State } : {}),
    ...traefikOf(Spec.TaskTemplate?.ContainerSpec),
  };
}

/** `traefik:v3`, `docker.io/library/traefik@sha256:…`, `registry:5000/mirror/traefik`; not `traefik/whoami`. */
export function isTraefikImage(image: string): boolean {
  return /(^|\/)traefik(:[^/]*)?(@[^/]*)?$/.test(image);
}

function traefikOf(spec: z.infer<typeof container> | null | undefined): Pick<SwarmService, 'traefik'> {
  if (!spec || !isTraefikImage(spec.Image ?? '')) return {};
  const files = [...(spec.Configs ?? []), ...(spec.Secrets ?? [])].map(({ File }) => File?.Name ?? '');
  const staticFile = files.find((name) => /^\/etc\/traefik\/traefik\.(ya?ml|toml)$/.test(name));
  return {
    traefik: {
      args: [...(spec.Command ?? []), ...(spec.Args ?? [])],
      environment: (spec.Env ?? []).filter((variable) => variable.startsWith('TRAEFIK_')),
      ...(staticFile === undefined ? {} : { staticFile }),
    },
  };
}

function modeOf(mode: z.infer<typeof service>['Spec']['Mode']): ServiceMode {
  if (mode?.ReplicatedJob || mode?.GlobalJob) return { kind: 'job' };
  if (mode?.Global) return { kind: 'global' };
  return { kind: 'replicated', replicas: mode?.Replicated?.Replicas ?? 1 };
}

/** @throws SwarmError `docker-answer-unusable` */
export function parseTask(response: unknown): SwarmTask {
  const { ID, Version, ServiceID, NodeID, DesiredState, Status, NetworksAttachments } = parse(task, response, 'task');
  const opened = new Map(
    (Status.PortStatus?.Ports ?? [])
      .filter((port) => (port.Protocol ?? 'tcp') === 'tcp' && port.PublishedPort)
      // Docker 20.10 lists every port twice.
      .map((port) => [
        `${port.TargetPort}:${port.PublishedPort}`,
        { target: port.TargetPort, published: port.PublishedPort ?? 0 },
      ]),
  );
  return {
    id: ID,
    serviceId: ServiceID ?? '',
    ...(NodeID ? { nodeId: NodeID } : {}),
    versionIndex: Version.Index,
    state: Status.State,
    desiredState: DesiredState,
    attachments: (NetworksAttachments ?? []).map(({ Network, Addresses }) => ({
      networkId: Network.ID,
      networkName: Network.Spec.Name ?? '',
      ingress: Network.Spec.Ingress ?? false,
      addresses: Addresses ?? [],
    })),
    hostPorts: [...opened.values()],
  };
}

/** @throws SwarmError `docker-answer-unusable` */
export function parseNode(response: unknown): SwarmNode {
  const { ID, Version, Spec, Description, Status, ManagerStatus } = parse(node, response, 'node');
  return {
    id: ID,
    versionIndex: Version.Index,
    hostname: Description?.Hostname ?? '',
    address: addressOf(Status?.Addr ?? '', ManagerStatus?.Addr ?? ''),
    state: Status?.State ?? 'unknown',
    availability: Spec.Availability ?? 'active',
    role: Spec.Role ?? 'worker',
    labels: Spec.Labels ?? {},
  };
}

/** A manager may know itself only as 0.0.0.0; its advertised address then stands in `ManagerStatus`, with a port. */
function addressOf(status: string, manager: string): string {
  if (status !== '' && status !== '0.0.0.0' && status !== '::') return status;
  const host = manager.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return host === '0.0.0.0' || host === '::' ? '' : host;
}

/** @throws SwarmError `docker-answer-unusable` */
export function parseNetwork(response: unknown): SwarmNetwork {
  const { Id, Name, Ingress } = parse(network, response, 'network');
  return { id: Id, name: Name, ingress: Ingress ?? false };
}

/**
 * A list of Docker's. An object that cannot be read costs itself: it is left out, and `onUnusable` gets why.
 * @param ofOne a list of what belongs to one service; else one of which no object can be read shows another form of them
 * all, and no object that is missing
 * @throws SwarmError `docker-answer-unusable` for that, and for what is no list
 */
export function parseList<T>(
  response: unknown,
  parseOne: (item: unknown) => T,
  onUnusable: (error: SwarmError) => void,
  ofOne = false,
): readonly T[] {
  if (!Array.isArray(response)) throw new SwarmError('docker-answer-unusable', 'Docker’s response is not a list');
  const read: T[] = [];
  const faults: SwarmError[] = [];
  for (const item of response) {
    try {
      read.push(parseOne(item));
    } catch (error) {
      if (!(error instanceof SwarmError)) throw error;
      faults.push(error);
    }
  }
  const [first] = faults;
  if (first !== undefined && read.length === 0 && !ofOne) throw first;
  for (const fault of faults) onUnusable(fault);
  return read;
}

function parse<T>(schema: z.ZodType<T>, response: unknown, what: string): T {
  const result = schema.safeParse(response);
  if (result.success) return result.data;
  throw new SwarmError(
    'docker-answer-unusable',
    `Docker's ${what} has an unexpected form: ${z.prettifyError(result.error)}`,
    {
      cause: result.error,
    },
  );
}
