import { destinationLabels, type LabelEntry, serviceLabels } from '@swarmgate/labels';
import type { Destination, ServiceDefinition } from '@swarmgate/registry/vocabulary';

export interface SupportedLabels {
  /** Whether the middleware honours a label that restricts access, by its name. Also asked for the settings. */
  readonly isSupported: (label: string) => boolean;
  /** Settings in force that restrict every destination (`USERS`, `HTTPS_ONLY`). Default none. */
  readonly restrictingSettings?: readonly string[];
}

/**
 * The first label (or global setting) that restricts access to a destination and cannot be honoured: such a
 * destination answers 503 rather than be served unprotected.
 */
export function labelThatBlocks(
  definition: ServiceDefinition,
  destination: Destination,
  { isSupported, restrictingSettings = [] }: SupportedLabels,
): string | undefined {
  for (const { field, name } of ofServices) {
    if (isAsked(definition[field]) && !isSupported(name)) return name;
  }
  for (const { field, name } of ofDestinations) {
    if (isAsked(destination[field]) && !isSupported(name)) return name;
  }
  return restrictingSettings.find((setting) => !isSupported(setting));
}

const ofServices = restricting<keyof ServiceDefinition>(serviceLabels);
const ofDestinations = restricting<keyof Destination>(destinationLabels);

function restricting<Field extends string>(
  entries: {
    readonly [Key in Field]?: Pick<LabelEntry, 'name' | 'restrictsAccess'>;
  },
): readonly { readonly field: Field; readonly name: string }[] {
  return (Object.entries(entries) as [Field, Pick<LabelEntry, 'name' | 'restrictsAccess'>][])
    .filter(([, entry]) => entry.restrictsAccess === true)
    .map(([field, { name }]) => ({ field, name }));
}

/** An empty list was meant to restrict, too: nobody is on it. */
function isAsked(value: unknown): boolean {
  return value !== undefined && value !== false;
}
