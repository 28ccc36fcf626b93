import { type LabelDefaults, translateParameters } from '@swarmgate/labels';
import type { TraefikOptions } from '@swarmgate/labels/traefik';
import type { EndpointsDocument, PlainSecrets, Problem, ServiceDefinition } from '@swarmgate/registry';
import type { LabelFamily } from '@swarmgate/runtime';
import type { SwarmNode, SwarmService } from '../swarm/swarm-objects.ts';
import type { SwarmView } from '../swarm/swarm-view.ts';
import { endpointsOf, type SharedNetworks, unreachableProblem } from './service-endpoints.ts';
import {
  isSelected,
  isSelectionUnclear,
  type NamingOptions,
  parametersOf,
  publishedName,
} from './service-parameters.ts';
import type { TraefikFlagsState } from './traefik-flags.ts';
import type { TraefikFileState } from './traefik-services.ts';

export interface TranslationOptions extends NamingOptions {
  /** `LABELS`. Default: `com.df.*` alone. */
  readonly families?: readonly LabelFamily[];
  /** Where `traefik.*` are read. */
  readonly traefik?: TraefikOptions;
  /** Traefik's flags in the Swarm, which take the place of `traefik`. The same object as long as nothing changed. */
  readonly traefikFlags?: (view: SwarmView) => TraefikFlagsState | undefined;
  /** `TRAEFIK_FILE`. The same object as long as nothing changed. */
  readonly traefikFile?: () => TraefikFileState | undefined;
  /** `SWARM_NAME`. */
  readonly owner: string;
  /** `SEPARATOR`. */
  readonly separator: string;
  /** `DEFAULT_<LABEL>`. Default: none. */
  readonly defaults?: LabelDefaults;
}

/** The documents of one selected service, before its secrets are sealed and its dates carried over. */
export interface TranslatedService {
  readonly serviceId: string;
  /** The name it is published under. */
  readonly name: string;
  readonly createdAt: string;
  readonly source: Extract<ServiceDefinition['source'], { readonly kind: 'swarm' }>;
  /** Absent where its labels are invalid. */
  readonly definition?: ServiceDefinition;
  /** Nothing of it may be served any more: a registered definition goes, where one of invalid labels stays. */
  readonly withdrawn?: true;
  readonly secrets: PlainSecrets;
  readonly endpoints: EndpointsDocument;
  readonly problems: readonly Problem[];
}

/** `undefined`: not selected, so nothing is published. Pure. */
export function translateService(
  service: SwarmService,
  view: SwarmView,
  options: TranslationOptions,
  now: Date,
): TranslatedService | undefined {
  const isUnclear = isSelectionUnclear(service, options);
  if (!isUnclear && !isSelected(service, options)) return undefined;
  const name = publishedName(service, options);
  const source = {
    kind: 'swarm',
    swarmId: view.swarmId,
    serviceId: service.id,
    versionIndex: service.versionIndex,
  } as const;
  const identity = { serviceId: service.id, name, createdAt: service.createdAt, source };
  if (isUnclear) {
    const endpoints = endpointsFor(service, name, view, options.owner);
    return { ...identity, secrets: { passwords: new Map() }, endpoints, problems: [unclearProblem(service, options)] };
  }
  const { definition, secrets, problems } = translateParameters(parametersOf(service, options), {
    owner: options.owner,
    service: name,
    separator: options.separator,
    ...(options.defaults === undefined ? {} : { defaults: options.defaults }),
    source,
    updatedAt: now.toISOString(),
    nowMs: now.getTime(),
  });
  const leadsElsewhere =
    definition?.destinations.every(({ outboundHostname, outboundServers }) => outboundHostname ?? outboundServers) ??
    false;
  const unreachable = unreachableProblem(service, view.networks, leadsElsewhere);
  return {
    ...identity,
    ...(definition === undefined ? {} : { definition }),
    secrets,
    endpoints: endpointsFor(service, name, view, options.owner),
    problems: [
      ...problems,
      ...overwrittenNameProblem(service, name),
      ...(unreachable === undefined ? [] : [unreachable]),
    ],
  };
}

/** The endpoints document alone, for a change of tasks or nodes. */
export function endpointsFor(
  service: SwarmService,
  name: string,
  view: SwarmView,
  owner: string,
  sharedNetworks?: SharedNetworks,
): EndpointsDocument {
  const nodes: ReadonlyMap<string, SwarmNode> = view.nodes;
  const surroundings = {
    tasks: view.tasks.get(service.id) ?? [],
    nodes,
    networks: view.networks,
    terminating: view.terminating,
  };
  return endpointsOf(service, { owner, name }, surroundings, sharedNetworks);
}

function unclearProblem(service: SwarmService, { notifyLabel }: NamingOptions): Problem {
  const value = (service.labels[notifyLabel] ?? '').slice(0, 200);
  return {
    severity: 'error',
    reason: 'label-value-invalid',
    message: `${notifyLabel} is ${JSON.stringify(value)}: expected one of 1 t T true TRUE True 0 f F false FALSE False`,
    label: notifyLabel.replace(/^com\.df\./, ''),
    value,
    suggestion: `write true; without the label the service is not served`,
  };
}

/** Docker Flow overwrites the label silently; users expected it to rename the service. */
function overwrittenNameProblem(service: SwarmService, name: string): readonly Problem[] {
  const requested = service.labels['com.df.serviceName'];
  if (requested === undefined || requested.trim() === name) return [];
  return [
    {
      severity: 'warning',
      reason: 'label-ignored',
      message: `serviceName is ignored: a Swarm service is published under its own name, ${name}`,
      label: 'serviceName',
      value: requested.slice(0, 200),
      suggestion: 'remove the label; com.df.shortName=true removes the stack from the name',
    },
  ];
}
