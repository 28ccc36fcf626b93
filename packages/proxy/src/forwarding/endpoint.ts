/** One address in an upstream. Identity is by `id`, so its health and connections survive table swaps. */
export interface Endpoint {
  /** Task id where known, else `host:port`. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly state: 'active' | 'draining';
}

/** What picking an endpoint for a route says. */
export type Pick =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  /** 503 + Retry-After; `stale-endpoint` for addresses that may be somebody else's by now. */
  | { readonly kind: 'none'; readonly reason: 'no-endpoint' | 'stale-endpoint' };
