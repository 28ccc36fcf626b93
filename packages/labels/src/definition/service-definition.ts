import type { DestinationLabels, OverridingLabels, ServiceLabels } from '../catalogue/labels.ts';

/**
 * What travels: one service as it stands in the registry, under the labels' own names. It is plain JSON, perhaps
 * edited by hand, so everyone who reads one runs it through `checkDefinition` first.
 */
export interface ServiceDefinition extends ServiceLabels {
  readonly version: 1;
  readonly service: string;
  readonly owner: string;
  readonly source: DefinitionSource;
  /** When this document was written, ISO 8601. */
  readonly updatedAt: string;
  /** Restricting features that the service’s labels use (`withRequires`); they hold for every destination. */
  readonly requires?: readonly string[];
  /** At least one. */
  readonly destinations: readonly Destination[];
}

/** Where the definition comes from: a Swarm service at one version, or a person or process by REST or in the environment. */
export type DefinitionSource =
  | { readonly kind: 'swarm'; readonly swarmId: string; readonly serviceId: string; readonly versionIndex: number }
  | { readonly kind: 'rest' | 'env' | 'sample'; readonly by: string };

/** One destination: a match and where it leads. */
export interface Destination extends DestinationLabels {
  /** The label's index, 0 for the un-indexed one. */
  readonly index: number;
  /** Milliseconds since the epoch when this match first appeared; carried forward while host, path and predicates stay equal. */
  readonly since: number;
  /**
   * Fields of the service that this destination has otherwise: a router of Traefik has middlewares of its own. A reader that
   * does not know them responds with 503 (`requires`).
   */
  readonly overrides?: OverridingLabels;
  /** As the service’s, for this destination alone. */
  readonly requires?: readonly string[];
}

/** `<owner>/<service>`: how maps, logs and problems name one service. */
export type ServiceKey = `${string}/${string}`;

export function serviceKey(of: { readonly owner: string; readonly service: string }): ServiceKey {
  return `${of.owner}/${of.service}`;
}
