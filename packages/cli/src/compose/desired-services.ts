import { type LabelDefaults, type Problem, translateParameters } from '@swarmgate/labels';
import {
  type DynamicFile,
  dynamicFileName,
  entrypointsName,
  isForTraefik,
  networkProblem,
  requestedNetwork,
  type TraefikOptions,
  type TraefikTranslation,
  translateTraefik,
} from '@swarmgate/labels/traefik';
import type { ServiceDefinition } from '@swarmgate/registry';
import { type LabelFamily, parseBoolean } from '@swarmgate/runtime';
import {
  isSelected,
  parametersOf,
  publishedName,
  type SwarmService,
  traefikDefinition,
  traefikServiceOf,
} from '@swarmgate/swarm-listener/labels';
import type { ComposeFile, ComposeService } from './read-compose.ts';
import type { PlacedProblem, Position } from './read-labels.ts';

export interface DesiredOptions {
  /** Stack name that Swarm will put before the services' names. */
  readonly stack: string;
  readonly notifyLabel: string;
  readonly serviceNamePrefix: string;
  readonly separator: string;
  /** `DEFAULT_<LABEL>`. Default: none. */
  readonly defaults?: LabelDefaults;
  readonly owner: string;
  /** `LABELS`. Default: `com.df.*` alone. */
  readonly families?: readonly LabelFamily[];
  /** Where `traefik.*` are read. */
  readonly traefik?: TraefikOptions;
  /** `TRAEFIK_FILE`. */
  readonly traefikFile?: DynamicFile;
  /** Services of the Swarm: names in the labels of those that the files do not hold count, as for the listener. Default: none. */
  readonly swarmServices?: readonly SwarmService[];
  readonly nowMs: number;
}

/** A service of a stack file as the listener would publish it, and the problems of its labels. */
export interface DesiredService {
  readonly name: string;
  readonly composeName: string;
  readonly position: Position;
  /** Absent where its labels are invalid. */
  readonly definition?: ServiceDefinition;
  readonly problems: readonly PlacedProblem[];
}

/** Translates with the listener's own rules, so that the result is what a deployment would publish. Pure. */
export function desiredServices(file: ComposeFile, options: DesiredOptions): readonly DesiredService[] {
  const { families = ['df'], traefik } = options;
  const isOfDf = (service: SwarmService) => families.includes('df') && isSelected(service, options);
  const services = [...file.services.values()].map((service) => ({
    service,
    swarmService: asSwarmService(service, options.stack, file.networkNames),
  }));
  const translations = traefik && traefikTranslations(withOthers(services, options), isOfDf, traefik, options);
  const beside =
    options.traefikFile === undefined || traefik === undefined
      ? []
      : ofFile(options.traefikFile, translations?.get(dynamicFileName), options);
  const ofStack = services.flatMap(({ service, swarmService }) => {
    if (isOfDf(swarmService)) return [selected(service, swarmService, options)];
    const translation = translations?.get(swarmService.id);
    if (translation !== undefined) return [ofTraefik(service, swarmService, translation, options)];
    const problems = [
      ...service.problems,
      ...(families.includes('df') ? unselectedProblems(service, options) : misplacedProblem(service)),
      ...(traefik === undefined ? [] : notEnabledProblem(service, traefik)),
    ];
    return problems.length === 0 ? [] : [{ ...identity(service, swarmService, options), problems }];
  });
  const redirects = translations?.get(entrypointsName);
  const ofEntrypoints =
    redirects === undefined ? [] : besideSwarm(entrypointsName, redirects, 'TRAEFIK_…_REDIRECT', options);
  return [...ofStack, ...ofEntrypoints, ...beside];
}

/** The services of the files, each as old as the one of its name in the Swarm, and the others of the Swarm. */
function withOthers(
  services: readonly { readonly swarmService: SwarmService }[],
  { swarmServices = [], nowMs }: Pick<DesiredOptions, 'swarmServices' | 'nowMs'>,
): readonly SwarmService[] {
  const own = services.map(({ swarmService }) => swarmService);
  if (swarmServices.length === 0) return own;
  const createdAt = new Map(swarmServices.map((each) => [each.name, each.createdAt]));
  const names = new Set(own.map(({ name }) => name));
  return [
    ...own.map((each) => ({ ...each, createdAt: createdAt.get(each.name) ?? new Date(nowMs).toISOString() })),
    ...swarmServices.filter(({ name }) => !names.has(name)),
  ];
}

function traefikTranslations(
  services: readonly SwarmService[],
  isOfDf: (service: SwarmService) => boolean,
  options: TraefikOptions,
  { traefikFile, nowMs }: Pick<DesiredOptions, 'traefikFile' | 'nowMs'>,
): ReadonlyMap<string, TraefikTranslation> {
  const ours = services.filter(({ labels }) => isForTraefik(labels, options));
  const given = ours.map((service) => traefikServiceOf(service, isOfDf(service)));
  const { closesTls, service } = traefikFile ?? {};
  const settings = closesTls === undefined ? options : { ...options, closesTls };
  const translated = translateTraefik(service === undefined ? given : [...given, service], settings, nowMs);
  const isNamesOnly = (id: string) => given.some((each) => each.id === id && each.namesOnly === true);
  return new Map([...translated].filter(([id]) => !isNamesOnly(id)));
}

/** What `TRAEFIK_FILE` leads to beside the Swarm, and its problems. */
function ofFile(
  file: DynamicFile,
  translation: TraefikTranslation | undefined,
  options: DesiredOptions,
): readonly DesiredService[] {
  const { destinations = [], problems = [] } = translation ?? {};
  const all = { destinations, problems: [...file.problems, ...problems.map(file.placed)] };
  return besideSwarm(dynamicFileName, all, 'TRAEFIK_FILE', options);
}

/** @param setting what defines it */
function besideSwarm(
  name: string,
  translation: TraefikTranslation,
  setting: string,
  options: DesiredOptions,
): readonly DesiredService[] {
  const position = { file: setting, line: 1 };
  const { definition, problems: found } = traefikDefinition(
    translation,
    {
      version: 1,
      service: name,
      owner: options.owner,
      source: { kind: 'swarm', swarmId: 'file', serviceId: name, versionIndex: 0 },
      updatedAt: new Date(options.nowMs).toISOString(),
    },
    options.defaults,
  );
  if (definition === undefined && found.length === 0) return [];
  return [
    {
      name,
      composeName: name,
      position,
      ...(definition === undefined ? {} : { definition }),
      problems: found.map((problem) => ({ ...problem, position })),
    },
  ];
}

function ofTraefik(
  service: ComposeService,
  swarmService: SwarmService,
  translation: TraefikTranslation,
  options: DesiredOptions,
): DesiredService {
  const found = identity(service, swarmService, options);
  const { definition, problems } = traefikDefinition(
    translation,
    {
      version: 1,
      service: found.name,
      owner: options.owner,
      source: sourceOf(service),
      updatedAt: new Date(options.nowMs).toISOString(),
    },
    options.defaults,
  );
  return {
    ...found,
    ...(definition === undefined ? {} : { definition }),
    problems: [
      ...service.problems,
      ...[...problems, ...networkProblems(swarmService, definition, options)].map((problem) => ({
        ...problem,
        position: positionOf(problem.label, service),
      })),
      ...misplacedProblem(service),
    ],
  };
}

function networkProblems(
  { name, labels, networks }: SwarmService,
  definition: ServiceDefinition | undefined,
  { traefik }: DesiredOptions,
): readonly Problem[] {
  if (
    definition?.destinations.every(({ outboundHostname, outboundServers }) => outboundHostname ?? outboundServers) ??
    true
  )
    return [];
  const problem = networkProblem(name, requestedNetwork(labels, traefik ?? {}), networks);
  return problem === undefined ? [] : [problem];
}

/** Traefik's own default is the other one. */
function notEnabledProblem(service: ComposeService, options: TraefikOptions): readonly PlacedProblem[] {
  const labels = [...service.labels.keys()].filter((label) => /^traefik\./i.test(label));
  const isStated = labels.some((label) => label.toLowerCase() === 'traefik.enable');
  if (labels.length === 0 || isStated || options.exposedByDefault) return [];
  return [
    {
      severity: 'warning',
      reason: 'traefik-not-enabled',
      message: `${service.name} has ${labels.length} traefik labels, but not traefik.enable=true: it would not be served`,
      suggestion:
        'add traefik.enable: "true" to deploy.labels, or set TRAEFIK_EXPOSED_BY_DEFAULT=true as Traefik has it',
      position: service.labelPositions.get(labels[0] ?? '') ?? service.position,
    },
  ];
}

function selected(service: ComposeService, swarmService: SwarmService, options: DesiredOptions): DesiredService {
  const name = publishedName(swarmService, options);
  const { definition, problems } = translateParameters(parametersOf(swarmService, options), {
    owner: options.owner,
    service: name,
    separator: options.separator,
    ...(options.defaults === undefined ? {} : { defaults: options.defaults }),
    source: sourceOf(service),
    updatedAt: new Date(options.nowMs).toISOString(),
    nowMs: options.nowMs,
  });
  return {
    ...identity(service, swarmService, options),
    ...(definition === undefined ? {} : { definition }),
    problems: [
      ...service.problems,
      ...problems.map((problem) => ({ ...problem, position: positionOf(problem.label, service) })),
      ...misplacedProblem(service),
    ],
  };
}

function identity(service: ComposeService, swarmService: SwarmService, options: DesiredOptions) {
  return { name: publishedName(swarmService, options), composeName: service.name, position: service.position };
}

function unselectedProblems(service: ComposeService, { notifyLabel }: DesiredOptions): readonly PlacedProblem[] {
  const ours = [...service.labels.keys()].filter((label) => label.startsWith('com.df.'));
  const notify = service.labels.get(notifyLabel);
  // A false is meant, and a true one is not served because of its replicas (0) or its mode. Every other spelling counts as
  // false too, which cannot be meant.
  if (notify !== undefined && !parseBoolean(notify).ok) {
    return [
      {
        severity: 'warning',
        reason: 'notify-missing',
        message: `${notifyLabel} of ${service.name} is ${JSON.stringify(notify)}, which does not count as true: it would not be served`,
        suggestion: `write ${notifyLabel}: "true"`,
        position: service.labelPositions.get(notifyLabel) ?? service.position,
      },
      ...misplacedProblem(service),
    ];
  }
  if (ours.length === 0 || notify !== undefined) return misplacedProblem(service);
  return [
    {
      severity: 'warning',
      reason: 'notify-missing',
      message: `${service.name} has ${ours.length} com.df labels, but not ${notifyLabel}=true: it would not be served`,
      suggestion: `add ${notifyLabel}: "true" to deploy.labels`,
      position: service.position,
    },
    ...misplacedProblem(service),
  ];
}

/** The most frequent mistake: labels of the containers instead of the service. */
function misplacedProblem({ misplacedLabels, name, position }: ComposeService): readonly PlacedProblem[] {
  if (misplacedLabels.length === 0) return [];
  const isOfTraefik = misplacedLabels.some((label) => /^traefik\./i.test(label));
  const ignored = isOfTraefik ? ', and which Traefik ignores in Swarm mode' : '';
  return [
    {
      severity: 'warning',
      reason: 'label-misplaced',
      message: `\`labels:\` of ${name} holds labels of its containers, which the listener cannot see${ignored}: ${misplacedLabels.join(', ')}`,
      suggestion: 'move them to deploy.labels',
      position,
    },
  ];
}

/** A label of Traefik stands with its whole name, or with the beginning that several share. */
function positionOf(label: string | undefined, { labelPositions, position }: ComposeService): Position {
  if (label === undefined) return position;
  const exact = labelPositions.get(`com.df.${label}`) ?? labelPositions.get(label);
  if (exact !== undefined || !/^traefik\./i.test(label)) return exact ?? position;
  const sharing = [...labelPositions].find(([name]) => name.startsWith(`${label}.`));
  return sharing?.[1] ?? position;
}

function sourceOf(service: ComposeService) {
  return { kind: 'swarm', swarmId: 'file', serviceId: service.name, versionIndex: 0 } as const;
}

function asSwarmService(
  service: ComposeService,
  stack: string,
  networkNames: ComposeFile['networkNames'],
): SwarmService {
  return {
    id: service.name,
    name: `${stack}_${service.name}`,
    versionIndex: 0,
    createdAt: '',
    labels: { ...Object.fromEntries(service.labels), 'com.docker.stack.namespace': stack },
    mode: service.isGlobal ? { kind: 'global' } : { kind: 'replicated', replicas: service.replicas },
    networks: service.networks.map((name) => networkNames.get(name) ?? `${stack}_${name}`),
    virtualIps: [],
    ports: service.targetPorts.map((target) => ({ protocol: 'tcp', target, published: 0, mode: 'ingress' })),
  };
}
