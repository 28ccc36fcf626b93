import { isTrue } from '@swarmgate/runtime';
import type { Constraint } from './constraints.ts';
import type { EntrypointOptionsMap } from './entrypoint-options.ts';
import type { ReadLabels } from './read-labels.ts';

/** What stands in Traefik's own flags, as settings here. */
export interface TraefikOptions {
  /** `TRAEFIK_EXPOSED_BY_DEFAULT`. */
  readonly exposedByDefault: boolean;
  /** `TRAEFIK_CONSTRAINTS`. Default: every service. */
  readonly constraint?: Constraint;
  /** `TRAEFIK_ENTRYPOINTS`: names to `entryPorts`. */
  readonly entrypoints: ReadonlyMap<string, readonly string[]>;
  /** `TRAEFIK_<ENTRYPOINT>_…`, by the entrypoint's name. Default: none. */
  readonly entrypointOptions?: EntrypointOptionsMap;
  /** `TRAEFIK_DEFAULT_RULE`, with `{{ normalize .Name }}` for the service's name. */
  readonly defaultRule: string;
  /** `TRAEFIK_NETWORK`, where no label names a network. Default: every network that proxy and service share. */
  readonly network?: string;
  /** Why routers with TLS respond with 503: `DynamicFile.closesTls`, `TraefikArgs.closesTls`. */
  readonly closesTls?: string;
  /** TLS options that routers may name, `modern@file`: `TraefikService.servedTlsOptions`. */
  readonly servedTlsOptions?: ReadonlySet<string>;
  /** Issuers of `ACME_DIRECTORY`, where the listener has that setting. */
  readonly issuers?: readonly string[];
}

/** One service of the Swarm, with its labels read once. */
export interface TraefikService {
  readonly id: string;
  /** As Swarm has it, with its stack. */
  readonly name: string;
  /** ISO 8601: of two definitions of one name the older one holds. */
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly read: ReadLabels;
  /** `file`: not of the Swarm, but of `TRAEFIK_FILE`; its names end in `@file` for others. */
  readonly provider?: 'file';
  /** Of `TRAEFIK_FILE`: names of TLS options that demand nothing which the proxy does not. */
  readonly servedTlsOptions?: ReadonlySet<string>;
  /** Target ports that it publishes by TCP. */
  readonly targetPorts: readonly number[];
  /** Its names hold for others, and its routers are not served: it is off, or its `com.df.*` labels hold. */
  readonly namesOnly?: true;
}

/** Whether Traefik would take the labels of a service: `traefik.enable`, else what holds by default, and the constraints. */
export function isForTraefik(
  labels: TraefikService['labels'],
  { exposedByDefault, constraint }: Pick<TraefikOptions, 'exposedByDefault' | 'constraint'>,
): boolean {
  const given = Object.keys(labels).filter((label) => /^traefik\./i.test(label));
  if (given.length === 0) return false;
  const enable = given.find((label) => label.toLowerCase() === 'traefik.enable');
  const isEnabled = enable === undefined ? exposedByDefault : isTrue(labels[enable]);
  return isEnabled && (constraint?.(labels) ?? true);
}
