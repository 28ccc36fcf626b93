import type { Destination, ServiceDefinition } from '@swarmgate/registry';

export interface SupportedLabels {
  /** Whether the middleware honours a label that restricts access, by its name. */
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
  for (const label of restrictingServiceLabels) {
    if (isAsked(definition[label]) && !isSupported(label)) return label;
  }
  for (const label of restrictingDestinationLabels) {
    if (isAsked(destination[label]) && !isSupported(label)) return label;
  }
  return restrictingSettings.find((setting) => !isSupported(setting));
}

const restrictingServiceLabels = [
  'users',
  'usersSecret',
  'usersPassEncrypted',
  'allowedAddresses',
  'rateLimit',
] as const satisfies readonly (keyof ServiceDefinition)[];

const restrictingDestinationLabels = [
  'denyHttp',
  'httpsOnly',
  'verifyClientSsl',
  'allowedMethods',
  'deniedMethods',
] as const satisfies readonly (keyof Destination)[];

/** An empty list was meant to restrict, too: nobody is on it. */
function isAsked(value: unknown): boolean {
  return value !== undefined && value !== false;
}
