import { type LabelDefaults, translateParameters } from '@swarmgate/labels';
import type { ServiceDefinition } from '@swarmgate/registry';
import { parseBoolean } from '@swarmgate/runtime';
import { isSelected, parametersOf, publishedName, type SwarmService } from '@swarmgate/swarm-listener';
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
  return [...file.services.values()].flatMap((service) => {
    const swarmService = asSwarmService(service, options.stack);
    if (isSelected(swarmService, options)) return [selected(service, swarmService, options)];
    const problems = [...service.problems, ...unselectedProblems(service, options)];
    return problems.length === 0 ? [] : [{ ...identity(service, swarmService, options), problems }];
  });
}

function selected(service: ComposeService, swarmService: SwarmService, options: DesiredOptions): DesiredService {
  const name = publishedName(swarmService, options);
  const { definition, problems } = translateParameters(parametersOf(swarmService, options), {
    owner: options.owner,
    service: name,
    separator: options.separator,
    ...(options.defaults === undefined ? {} : { defaults: options.defaults }),
    source: { kind: 'swarm', swarmId: 'file', serviceId: service.name, versionIndex: 0 },
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
function misplacedProblem(service: ComposeService): readonly PlacedProblem[] {
  if (service.misplacedLabels.length === 0) return [];
  return [
    {
      severity: 'warning',
      reason: 'label-misplaced',
      message: `${service.misplacedLabels.join(', ')} of ${service.name} are labels of its containers, which the listener cannot see`,
      suggestion: 'move them to deploy.labels',
      position: service.position,
    },
  ];
}

function positionOf(label: string | undefined, { labelPositions, position }: ComposeService): Position {
  return labelPositions.get(`com.df.${label}`) ?? position;
}

function asSwarmService(service: ComposeService, stack: string): SwarmService {
  return {
    id: service.name,
    name: `${stack}_${service.name}`,
    versionIndex: 0,
    createdAt: '',
    labels: { ...Object.fromEntries(service.labels), 'com.docker.stack.namespace': stack },
    mode: service.isGlobal ? { kind: 'global' } : { kind: 'replicated', replicas: service.replicas },
    networks: [],
    virtualIps: [],
    ports: [],
  };
}
