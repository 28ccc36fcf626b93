import { isTraefikImage, type TraefikProcess } from '@swarmgate/swarm-listener/labels';
import { type Environment, interpolate } from './interpolate.ts';

/** What of a service in a stack file is no label: its networks, and how a Traefik is started. */

/** A list of names, or a map of them. Without any Docker joins `default`. */
export function networksOf(networks: unknown): readonly string[] {
  const names = Array.isArray(networks) ? networks.map(String) : Object.keys(asRecord(networks));
  return names.length === 0 ? ['default'] : names;
}

export function networkNamesOf(networks: unknown, env: Environment): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [key, given] of Object.entries(asRecord(networks))) {
    const { name, external } = asRecord(given);
    const external1 = asRecord(external).name;
    const full = name ?? external1;
    if (full !== undefined && full !== null) found.set(key, text(full, env));
    else if (external === true) found.set(key, key);
  }
  return found;
}

export function traefikProcessOf(
  service: {
    readonly image?: unknown;
    readonly command?: unknown;
    readonly entrypoint?: unknown;
    readonly environment?: unknown;
    readonly configs?: unknown;
  },
  env: Environment,
): { readonly traefik?: TraefikProcess } {
  if (!isTraefikImage(text(service.image ?? '', env))) return {};
  const environment = Array.isArray(service.environment)
    ? service.environment.map((each) => text(each, env))
    : Object.entries(asRecord(service.environment)).map(([name, value]) => `${name}=${text(value ?? '', env)}`);
  const targets = Array.isArray(service.configs)
    ? service.configs.map((each) => String(asRecord(each).target ?? ''))
    : [];
  const staticFile = targets.find((target) => /^\/etc\/traefik\/traefik\.(ya?ml|toml)$/.test(target));
  return {
    traefik: {
      args: [...wordsOf(service.entrypoint, env), ...wordsOf(service.command, env)],
      environment: environment.filter((variable) => variable.startsWith('TRAEFIK_')),
      ...(staticFile === undefined ? {} : { staticFile }),
    },
  };
}

/** A text stays one line: its flags are distinguished where they are read. */
function wordsOf(command: unknown, env: Environment): readonly string[] {
  if (command === undefined || command === null) return [];
  return (Array.isArray(command) ? command : [command]).map((each) => text(each, env));
}

function text(value: unknown, env: Environment): string {
  return interpolate(String(value), env).value;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
