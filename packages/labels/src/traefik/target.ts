import type { OverridingLabels } from '../catalogue/labels.ts';
import type { Problem } from '../definition/problem.ts';
import type { Destination } from '../definition/service-definition.ts';
import type { TraefikService } from './traefik-options.ts';

/** Where a router leads. */
export interface Target {
  /** The Swarm service whose tasks serve it. */
  readonly owner: TraefikService;
  readonly port: number;
  readonly fields: Pick<
    Destination,
    | 'protocol'
    | 'sslVerifyNone'
    | 'checkPath'
    | 'checkIntervalMs'
    | 'outboundHostname'
    | 'outboundServers'
    | 'backupServers'
    | 'passHostHeader'
    | 'sendProxyHeader'
  >;
  readonly overrides: Pick<OverridingLabels, 'sessionType' | 'sessionCookie' | 'sessionCookieAttributes'>;
  /** One of Traefik's own services (`api@internal`): nothing is served there. */
  readonly isInternal?: true;
}

export type FoundTarget =
  | { readonly ok: true; readonly target: Target; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };
