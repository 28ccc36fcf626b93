/** Every form in which a service can be reached. The choice among them is each proxy's own. */
export interface EndpointsDocument {
  readonly version: 1;
  readonly service: string;
  readonly owner: string;
  /** The service's name in Docker's DNS (`tasks.<dnsName>`); differs from `service` for shortened names. */
  readonly dnsName: string;
  readonly tasks: readonly TaskEndpoint[];
  readonly published: readonly PublishedPort[];
  /** Virtual IP on the proxy's network, with its prefix length; absent for dnsrr services. */
  readonly vip?: string;
  /** Name of the overlay network the addresses are in. */
  readonly network?: string;
  /** Reached by the addresses of its tasks alone: neither by the service's names nor by published ports. */
  readonly tasksOnly?: true;
}

export interface TaskEndpoint {
  readonly taskId: string;
  readonly nodeId: string;
  /** `draining`: no new requests; those in flight finish. */
  readonly state: 'active' | 'draining';
  /** With prefix length: `10.0.1.5/24`. One per attached network. */
  readonly addresses: readonly string[];
}

export interface PublishedPort {
  /** Address of a node; for ingress publishing of every node. */
  readonly host: string;
  readonly port: number;
  /** The port inside the container that this one leads to: which of several published ports a destination means. */
  readonly targetPort: number;
}
