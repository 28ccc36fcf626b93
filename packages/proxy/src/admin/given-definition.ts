import {
  checkDefinition,
  type PlainSecrets,
  type Problem,
  type ServiceDefinition,
  translateParameters,
} from '@swarmgate/registry';
import type { Settings } from '@swarmgate/runtime';

/** What a person sent: a definition without its secrets, the secrets beside it, and what is wrong with both. */
export interface GivenDefinition {
  readonly definition: ServiceDefinition | undefined;
  readonly secrets: PlainSecrets;
  readonly problems: readonly Problem[];
}

export interface GivenBy {
  /** Who, for the document: `REST from 10.0.0.7`. */
  readonly by: string;
  readonly nowMs: number;
}

/** Docker Flow's query parameters. */
export function fromParameters(
  parameters: ReadonlyMap<string, string>,
  settings: Pick<Settings, 'separator'>,
  { by, nowMs }: GivenBy,
): GivenDefinition {
  const { definition, secrets, problems } = translateParameters(parameters, {
    owner: 'manual',
    separator: settings.separator,
    source: { kind: 'rest', by },
    updatedAt: new Date(nowMs).toISOString(),
    nowMs,
  });
  return { definition, secrets, problems };
}

/**
 * A definition as JSON, as the registry shows it. Who wrote it and when is ours to say, so `owner`, `source` and
 * `updatedAt` are replaced; `users` may carry a plain `password` and `serviceCert` a PEM, which become secrets.
 */
export function fromDocument(json: unknown, { by, nowMs }: GivenBy): GivenDefinition {
  const secrets = { passwords: new Map<string, string>() };
  if (!isRecord(json)) return reject(secrets, 'definition-invalid', 'the body is not a JSON object');
  const { service, users, serviceCert, ...rest } = json;
  if (typeof service !== 'string' || service === '')
    return reject(secrets, 'service-name-missing', 'service is not set');
  const isPlainCertificate = typeof serviceCert === 'string' && serviceCert.includes('-----BEGIN');
  const document = {
    ...rest,
    version: json.version ?? 1,
    service,
    owner: 'manual',
    source: { kind: 'rest', by },
    updatedAt: new Date(nowMs).toISOString(),
    ...(users === undefined ? {} : { users: takePasswords(users, secrets.passwords) }),
    ...(serviceCert === undefined || isPlainCertificate ? {} : { serviceCert }),
  };
  const checked = checkDefinition(document, { owner: 'manual', service });
  return {
    definition: checked.ok ? checked.definition : undefined,
    secrets: isPlainCertificate ? { ...secrets, certificate: serviceCert } : secrets,
    problems: checked.ok ? [] : checked.problems,
  };
}

function takePasswords(users: unknown, passwords: Map<string, string>): unknown {
  if (!Array.isArray(users)) return users;
  return users.map((user: unknown) => {
    if (!isRecord(user) || typeof user.password !== 'string' || typeof user.username !== 'string') return user;
    const { password, ...rest } = user;
    passwords.set(user.username, String(password));
    return rest;
  });
}

function reject(secrets: PlainSecrets, reason: string, message: string): GivenDefinition {
  return { definition: undefined, secrets, problems: [{ severity: 'error', reason, message }] };
}

function isRecord(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
