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
  /** `hasOthers`: another endpoint could take the request, so nobody need wait long for this one. */
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint; readonly hasOthers: boolean }
  /** 503 + Retry-After; `stale-endpoint` for addresses that may be somebody else's by now. */
  | { readonly kind: 'none'; readonly reason: 'no-endpoint' | 'stale-endpoint' };
