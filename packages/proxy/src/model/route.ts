import type { Destination, ServiceDefinition, ServiceKey } from '@swarmgate/registry';

/**
 * One compiled destination: data that the lookup, the middleware and the exchange read. Frozen. A service with two
 * destinations has two routes; `httpsPort` makes a route of its own.
 */
export interface Route {
  /** `<owner>/<service>/<index>`, with `:https` for the one that `httpsPort` makes. */
  readonly id: string;
  readonly key: ServiceKey;
  readonly definition: ServiceDefinition;
  readonly destination: Destination;
  /** Port on the endpoint. Absent only where `redirectFromDomain` responds alone. */
  readonly upstreamPort: number;
  readonly upstreamSecure: boolean;
  /** Endpoints are reached by HTTP/2 (`protocol`). */
  readonly upstreamHttp2?: true;
  /** A restricting feature that this proxy lacks, or a label that cannot be read: the route responds with 503 `unsupported-feature`. */
  readonly blockedBy?: string;
  /** A redirect made of `redirectFromDomain`: the response is 301 to this host. */
  readonly redirectToHost?: string;
}
