import {
  controlCharacterIn,
  definitionSizeProblem,
  type LabelDefaults,
  translateParameters,
  withRequires,
} from '@swarmgate/labels';
import { networkProblem, requestedNetwork, type TraefikTranslation } from '@swarmgate/labels/traefik';
import type { PlainSecrets, Problem, ServiceDefinition } from '@swarmgate/registry';
import type { SwarmService } from '../swarm/swarm-objects.ts';
import type { SwarmView } from '../swarm/swarm-view.ts';
import { joinedNetworks, type SharedNetworks } from './service-endpoints.ts';
import { publishedName } from './service-parameters.ts';
import type { ServiceTranslation } from './traefik-services.ts';
import { endpointsFor, type TranslatedService, type TranslationOptions } from './translate-service.ts';

/**
 * The documents of a service that `traefik.*` labels describe. Where nothing of it can be served the registered definition
 * goes: Traefik serves nothing either, and the former one may lack a restriction that the labels have by now.
 */
export function translateTraefikService(
  service: SwarmService,
  translation: ServiceTranslation,
  view: SwarmView,
  options: TranslationOptions,
  now: Date,
): TranslatedService {
  const name = publishedName(service, options);
  const source = {
    kind: 'swarm',
    swarmId: view.swarmId,
    serviceId: service.id,
    versionIndex: service.versionIndex,
  } as const;
  const { definition, secrets, problems } = traefikDefinition(
    translation,
    {
      version: 1,
      service: name,
      owner: options.owner,
      source,
      updatedAt: now.toISOString(),
    },
    options.defaults,
  );
  const leadsElsewhere =
    definition?.destinations.every(({ outboundHostname, outboundServers }) => outboundHostname ?? outboundServers) ??
    false;
  const requested = requestedNetwork(service.labels, options.traefik ?? {});
  const unreachable =
    definition === undefined || leadsElsewhere
      ? undefined
      : networkProblem(service.name, requested, joinedNetworks(service, view.networks));
  return {
    serviceId: service.id,
    name,
    createdAt: service.createdAt,
    source,
    ...(definition === undefined ? (translation.isUnknown === true ? {} : { withdrawn: true }) : { definition }),
    secrets: secrets ?? { passwords: new Map() },
    endpoints: endpointsFor(service, name, view, options.owner, sharedNetworksOf(service, options)),
    problems: unreachable === undefined ? problems : [...problems, unreachable],
  };
}

/** A service that has problems to report and no routes. */
export function withoutRoutes(service: SwarmService, view: SwarmView, options: TranslationOptions): TranslatedService {
  const name = publishedName(service, options);
  return {
    serviceId: service.id,
    name,
    createdAt: service.createdAt,
    source: { kind: 'swarm', swarmId: view.swarmId, serviceId: service.id, versionIndex: service.versionIndex },
    withdrawn: true,
    secrets: { passwords: new Map() },
    endpoints: endpointsFor(service, name, view, options.owner),
    problems: [],
  };
}

/** Services of Traefik are reached over shared networks only: a published port may be there for others. */
export function sharedNetworksOf(service: SwarmService, { traefik }: TranslationOptions): SharedNetworks {
  const requested = requestedNetwork(service.labels, traefik ?? {});
  return requested === undefined ? {} : { preferred: requested.name };
}

/** `undefined`: it has no destination, holds a control character, or is too large. */
export function traefikDefinition(
  { destinations, problems }: TraefikTranslation,
  identity: Omit<ServiceDefinition, 'destinations'>,
  defaults: LabelDefaults = {},
): {
  readonly definition?: ServiceDefinition;
  /** Of users that `DEFAULT_USERS` gives. */
  readonly secrets?: PlainSecrets;
  readonly problems: readonly Problem[];
} {
  if (destinations.length === 0) return { problems };
  const control = controlCharacterIn(destinations);
  if (control !== undefined) return { problems: [...problems, holdsControlCharacter(control)] };
  const since = Date.parse(identity.updatedAt);
  const byDefault = defaultFields(identity, defaults);
  // Defaults that cannot be read may restrict.
  if (byDefault === undefined) return { problems: [...problems, unreadableDefaults] };
  const definition = withRequires({
    ...byDefault.ofService,
    ...identity,
    destinations: destinations.map((destination) => ({ ...byDefault.ofDestination, ...destination, since })),
  });
  const exceeded = definitionSizeProblem(definition);
  return exceeded === undefined
    ? { definition, secrets: byDefault.secrets, problems }
    : { problems: [...problems, exceeded] };
}

/** What `DEFAULT_<LABEL>` gives every service and every destination. */
function defaultFields(
  identity: Omit<ServiceDefinition, 'destinations'>,
  defaults: LabelDefaults,
): { readonly ofService: object; readonly ofDestination: object; readonly secrets: PlainSecrets } | undefined {
  const { definition, secrets } = translateParameters(
    { servicePath: '/', port: '80' },
    { ...identity, separator: ',', nowMs: 0, defaults },
  );
  const [destination] = definition?.destinations ?? [];
  if (definition === undefined || destination === undefined) return undefined;
  const { destinations: _, requires: _requires, ...ofService } = definition;
  const {
    index: _index,
    since: _since,
    servicePath: _path,
    port: _port,
    requires: _own,
    ...ofDestination
  } = destination;
  return { ofService, ofDestination, secrets };
}

function holdsControlCharacter([index = '', ...path]: readonly string[]): Problem {
  return {
    severity: 'error',
    reason: 'label-value-invalid',
    message: `a label of Traefik gives destination ${index} a control character (${path.join('.').slice(0, 200)}), so nothing of the service is served`,
    suggestion: 'write the labels without control characters',
  };
}

const unreadableDefaults: Problem = {
  severity: 'error',
  reason: 'label-value-invalid',
  message: 'a label that DEFAULT_<LABEL> sets for all services cannot be read, so nothing of the service is served',
  suggestion: 'correct the setting; the problems of services with com.df.* labels name it',
};
