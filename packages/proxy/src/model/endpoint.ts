/** One address in an upstream. Identity is by `id`, so its health and connections survive table swaps. */
export interface Endpoint {
  /** Task id where known, else `host:port`. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** It is reached by HTTP/2; else by HTTP/1.1. */
  readonly http2?: true;
  readonly state: 'active' | 'draining';
  /** Its part of the requests among the endpoints of an upstream. Default 1; all of them have one, or none has. */
  readonly weight?: number;
  /** The server that it is an address of, where the service names several. */
  readonly serverName?: string;
  /** It gets requests only while no other endpoint of the upstream can take them. */
  readonly backup?: true;
}

/** The result of picking an endpoint for a route. */
export type EndpointPick =
  /** `hasOthers`: another endpoint could take the request, so the connect timeout is short. */
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint; readonly hasOthers: boolean }
  /** 503 + Retry-After; `stale-endpoint`: the known addresses may belong to other tasks by now. */
  | { readonly kind: 'none'; readonly reason: 'no-endpoint' | 'stale-endpoint' };

export interface PickOptions {
  /** Token of the sticky cookie. */
  readonly stickTo?: string;
  /** Ids of endpoints that this request has tried already. */
  readonly except?: ReadonlySet<string>;
}

/** How an exchange ended for its endpoint. `unreachable`: it accepts no connection either, so one is enough to eject it. */
export type EndpointOutcome = 'responded' | 'refused' | 'timed-out' | 'broken' | 'unreachable' | 'abandoned';
