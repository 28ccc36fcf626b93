import { translateParameters, withRequires } from '@swarmgate/labels';
import {
  checkDefinition,
  type PlainSecrets,
  type Problem,
  type ProblemReason,
  type ServiceDefinition,
} from '@swarmgate/registry';
import type { Settings } from '@swarmgate/runtime';
import { isObject, kindOf } from './request-body.ts';

/** A definition from a REST call without its secrets, the secrets, and the problems of both. */
export interface GivenDefinition {
  readonly definition: ServiceDefinition | undefined;
  readonly secrets: PlainSecrets;
  readonly problems: readonly Problem[];
}

export interface GivenBy {
  /** The author, for the document: `REST from 10.0.0.7`. */
  readonly by: string;
  readonly nowMs: number;
}

const example =
  'a JSON object such as {"service":"shop","destinations":[{"servicePath":["/shop"],"port":8080}]} (docs/openapi.yaml)';

/** Docker Flow's query parameters. */
export function fromParameters(
  parameters: ReadonlyMap<string, string>,
  settings: Pick<Settings, 'separator' | 'defaultLabels'>,
  { by, nowMs }: GivenBy,
): GivenDefinition {
  const { definition, secrets, problems } = translateParameters(parameters, {
    owner: 'manual',
    separator: settings.separator,
    defaults: settings.defaultLabels,
    source: { kind: 'rest', by },
    updatedAt: new Date(nowMs).toISOString(),
    nowMs,
  });
  const tooLong = problemOfLength('serviceName', parameters.get('serviceName')?.trim() ?? '');
  return tooLong === undefined
    ? { definition, secrets, problems }
    : { definition: undefined, secrets, problems: [tooLong, ...problems] };
}

/**
 * A definition as JSON, as the registry shows it. The proxy sets author and time itself, so `owner`, `source` and
 * `updatedAt` are replaced; `users` may carry a plain `password` and `serviceCert` a PEM, which become secrets.
 */
export function fromDocument(json: unknown, { by, nowMs }: GivenBy): GivenDefinition {
  const secrets = { passwords: new Map<string, string>() };
  if (!isObject(json)) return reject(secrets, 'definition-invalid', `the body is ${kindOf(json)}: expected ${example}`);
  const { service, users, serviceCert, ...rest } = json;
  if (service === undefined || service === '')
    return reject(secrets, 'service-name-missing', `service is not set: expected ${example}`);
  if (typeof service !== 'string')
    return reject(secrets, 'definition-invalid', `service is ${kindOf(service)}: expected the name of the service`);
  const tooLong = problemOfLength('service', service);
  if (tooLong !== undefined) return { definition: undefined, secrets, problems: [tooLong] };
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
    definition: checked.ok ? withRequires(checked.definition) : undefined,
    secrets: isPlainCertificate ? { ...secrets, certificate: serviceCert } : secrets,
    problems: checked.ok ? (checked.warnings ?? []) : checked.problems,
  };
}

function takePasswords(users: unknown, passwords: Map<string, string>): unknown {
  if (!Array.isArray(users)) return users;
  return users.map((user: unknown) => {
    if (!isObject(user) || typeof user.password !== 'string' || typeof user.username !== 'string') return user;
    const { password, ...rest } = user;
    passwords.set(user.username, String(password));
    return rest;
  });
}

function reject(secrets: PlainSecrets, reason: ProblemReason, message: string): GivenDefinition {
  return { definition: undefined, secrets, problems: [{ severity: 'error', reason, message }] };
}

/** Docker takes 63 characters, and a prefix may stand before; far longer ones choke logs, metrics and Consul's UI. */
const longestName = 200;

function problemOfLength(label: string, name: string): Problem | undefined {
  if (name.length <= longestName) return undefined;
  return {
    severity: 'error',
    reason: 'service-name-invalid',
    message: `${label} has ${name.length} characters: expected at most ${longestName}`,
    label,
    value: `${name.slice(0, longestName)}…`,
    suggestion: 'give the service a shorter name',
  };
}
