/** The parts of Docker's responses that the listener uses: https://docs.docker.com/reference/api/engine/version/v1.41/ */

export interface SwarmService {
  readonly id: string;
  readonly name: string;
  /** Raft index of its last change: rises with every one, over all objects of the Swarm. */
  readonly versionIndex: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** `Spec.Labels`: the service's own, not the containers'. */
  readonly labels: Readonly<Record<string, string>>;
  readonly mode: ServiceMode;
  /** Ids (older specs: names) of the networks its tasks join. */
  readonly networks: readonly string[];
  readonly virtualIps: readonly { readonly networkId: string; readonly address: string }[];
  readonly ports: readonly ServicePort[];
  /** Docker's `UpdateStatus.State`; absent when the service was never updated. */
  readonly updateState?: string;
  /** Of a service whose image is called `traefik`: how it was started. */
  readonly traefik?: TraefikProcess;
}

/** What Traefik's static settings stand in. */
export interface TraefikProcess {
  readonly args: readonly string[];
  /** `TRAEFIK_…=…` alone: other variables may be secrets. */
  readonly environment: readonly string[];
  /** Where a config or secret is mounted that Traefik takes for its static file. */
  readonly staticFile?: string;
}

export type ServiceMode =
  | { readonly kind: 'replicated'; readonly replicas: number }
  | { readonly kind: 'global' }
  /** A job ends by itself: no route leads to it. */
  | { readonly kind: 'job' };

export interface ServicePort {
  readonly protocol: string;
  readonly target: number;
  /** 0: Docker has not assigned one yet. */
  readonly published: number;
  readonly mode: 'ingress' | 'host';
}

export interface SwarmTask {
  readonly id: string;
  readonly serviceId: string;
  /** Absent until Swarm has assigned the task to a node. */
  readonly nodeId?: string;
  readonly versionIndex: number;
  /** As the node last reported: `running`, `shutdown`, `failed`, … */
  readonly state: string;
  /** `running`, or `shutdown` and `remove` for a task that Swarm ends. */
  readonly desiredState: string;
  readonly attachments: readonly TaskAttachment[];
  /** Host-mode ports as the node opened them. */
  readonly hostPorts: readonly { readonly target: number; readonly published: number }[];
}

export interface TaskAttachment {
  readonly networkId: string;
  readonly networkName: string;
  /** The routing mesh's own network: no proxy is attached to it. */
  readonly ingress: boolean;
  /** With prefix length. */
  readonly addresses: readonly string[];
}

export interface SwarmNode {
  readonly id: string;
  readonly versionIndex: number;
  readonly hostname: string;
  /** As the managers see it; `0.0.0.0` or empty when unknown. */
  readonly address: string;
  readonly state: string;
  readonly availability: string;
  readonly role: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface SwarmNetwork {
  readonly id: string;
  readonly name: string;
  readonly ingress: boolean;
}

/** Something changed. Carries no state: the object has to be read again. */
export type SwarmEvent =
  | { readonly kind: 'service'; readonly action: string; readonly serviceId: string }
  | { readonly kind: 'node'; readonly action: string; readonly nodeId: string }
  /** A container of this node is being stopped, has ended, or failed its health check: the task's state follows. */
  | { readonly kind: 'task-terminating'; readonly serviceId: string; readonly taskId: string };
