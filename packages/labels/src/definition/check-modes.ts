import type { LabelEntry, ReqMode } from '../catalogue/label-entry.ts';
import { destinationLabels, serviceLabels } from '../catalogue/labels.ts';
import { labelName } from './label-name.ts';
import type { Problem } from './problem.ts';
import type { Destination, ServiceDefinition } from './service-definition.ts';

/** A warning for every label of a destination that its `reqMode` cannot honour. */
export function checkMode(destination: Destination): readonly Problem[] {
  const mode = destination.reqMode ?? 'http';
  const fields = new Map<string, unknown>(Object.entries(destination));
  return (Object.entries(destinationLabels) as [string, LabelEntry][])
    .filter(([field, entry]) => isRequested(fields.get(field)) && !isHonoured(entry, mode, fields.get(field)))
    .map(([, entry]) => modeProblem(entry, labelName(entry.name, destination), `reqMode ${mode}`, mode));
}

/** A warning for every label of the service that none of its destinations' modes can honour. */
export function checkModesOfService(labels: object, destinations: readonly Destination[]): readonly Problem[] {
  const modes = [...new Set(destinations.map(({ reqMode }) => reqMode ?? 'http'))];
  const fields = new Map<string, unknown>(Object.entries(labels));
  return (Object.entries(serviceLabels) as [string, LabelEntry][])
    .filter(
      ([field, entry]) =>
        isRequested(fields.get(field)) && !modes.some((mode) => isHonoured(entry, mode, fields.get(field))),
    )
    .map(([, entry]) => modeProblem(entry, entry.name, `reqMode ${modes.join(' and ')}`, modes[0] ?? 'http'));
}

/** The first label that restricts access to a destination by what its `reqMode` does not have. */
export function restrictionNotHonoured(definition: ServiceDefinition, destination: Destination): string | undefined {
  const mode = destination.reqMode ?? 'http';
  const lacks =
    (fields: Readonly<Record<string, unknown>>) =>
    ([field, entry]: readonly [string, LabelEntry]) =>
      isRequested(fields[field]) && !isHonoured(entry, mode, fields[field]);
  const [, entry] =
    restricting.ofService.find(lacks({ ...definition })) ??
    restricting.ofDestination.find(lacks({ ...destination })) ??
    [];
  return entry?.name;
}

/** Labels that restrict access in some modes alone. */
const restricting = {
  ofService: restrictingOf(serviceLabels),
  ofDestination: restrictingOf(destinationLabels),
};

function restrictingOf(labels: Readonly<Record<string, LabelEntry>>): readonly (readonly [string, LabelEntry])[] {
  return Object.entries(labels).filter(([, { restricts, modes }]) => restricts !== undefined && modes !== undefined);
}

function isHonoured({ modes, inRelays }: LabelEntry, mode: ReqMode, value: unknown): boolean {
  return modes === undefined || modes.includes(mode) || (mode !== 'http' && inRelays?.(value) === true);
}

function isRequested(value: unknown): boolean {
  return value !== undefined && value !== false;
}

function modeProblem(entry: LabelEntry, label: string, where: string, mode: ReqMode): Problem {
  const closed = mode === 'http' ? 'so requests get 503' : 'so nothing is relayed to the service';
  const consequence = entry.restricts === undefined ? 'so it has no effect' : closed;
  const needsName = entry.modes?.includes('sni') === true;
  const why =
    mode === 'http'
      ? 'is for relays'
      : needsName && mode === 'tcp'
        ? 'needs a host name, which tcp has none of'
        : 'needs requests';
  const suggestion =
    mode === 'tcp' && needsName
      ? 'use reqMode sni, which distinguishes TLS connections by server name, or give the service a srcPort of its own'
      : `leave ${label} out, or use reqMode ${entry.modes?.[0] ?? 'http'}`;
  return {
    severity: 'warning',
    reason: 'label-not-honoured',
    message: `${label} cannot be honoured in ${where}: it ${why}, ${consequence}`,
    label,
    suggestion,
  };
}
