import { isName, nameExpected } from '@swarmgate/runtime';
import {
  destinationLabels,
  findLabel,
  type OverridingLabels,
  overridableLabels,
  type ServiceLabels,
  serviceLabels,
} from '../catalogue/labels.ts';
import { checkDestinations } from '../definition/check-destinations.ts';
import { checkModesOfService } from '../definition/check-modes.ts';
import { definitionSizeProblem, tooLarge } from '../definition/definition-size.ts';
import type { PlainSecrets } from '../definition/plain-secrets.ts';
import type { Problem } from '../definition/problem.ts';
import { withRequires } from '../definition/required-features.ts';
import type { DefinitionSource, Destination, ServiceDefinition } from '../definition/service-definition.ts';
import { controlCharacterIn } from '../values/control-characters.ts';
import { withoutUsers } from '../values/credentials.ts';
import { isPasswordHash } from '../values/password-hash.ts';
import { pathRewriteOf } from '../values/path-rewrites.ts';
import { readUsers, type UserEntry } from '../values/users.ts';
import { not } from '../values/value.ts';
import { type LabelDefaults, withDefaults } from './default-labels.ts';
import { destinationIndexes, type GivenParameter, type LabelParameters, readParameters } from './label-parameters.ts';
import {
  deprecatedProblem,
  destinationProblem,
  labelProblem,
  unknownProblem,
  valueProblem,
} from './parameter-problems.ts';

export interface TranslationContext {
  readonly owner: string;
  /** Stands over a `serviceName` among the parameters. */
  readonly service?: string;
  /** `SEPARATOR`, by default a comma. */
  readonly separator: string;
  readonly source: DefinitionSource;
  /** ISO 8601. */
  readonly updatedAt: string;
  /** `since` of every destination; `carrySince` brings older ones over. */
  readonly nowMs: number;
  /** Values of labels that the service does not set, by `UPPER_SNAKE` of the label. Default: none. */
  readonly defaults?: LabelDefaults;
}

export interface Translation {
  /** Absent when a problem of severity `error` rejects it. */
  readonly definition?: ServiceDefinition;
  /** `createSealer` seals them into the definition; until then its users have no password, so none can authenticate. */
  readonly secrets: PlainSecrets;
  readonly problems: readonly Problem[];
}

/**
 * Labels or query parameters (without `com.df.`) → a definition, and everything that is wrong with them. Pure, and
 * never throws, whatever comes in. Reasons that Docker Flow has statuses for: `service-name-missing`, `match-missing`,
 * `tcp-ports-missing`, `port-missing`.
 */
export function translateParameters(parameters: LabelParameters, context: TranslationContext): Translation {
  const { given, left } = withDefaults(readParameters(parameters), context.defaults);
  const characters = given.reduce((sum, { fullName, value }) => sum + fullName.length + value.length, 0);
  // Before any of it is read: expressions cost time to compile.
  if (characters > mostLabelCharacters) return { secrets: { passwords: new Map() }, problems: [tooLarge(characters)] };
  const indexes = destinationIndexes(given);
  const problems: Problem[] = [];
  const service = serviceNameOf(given, context, problems);
  const reading: Reading = { given, left, separator: context.separator, problems, values: new Map() };
  for (const parameter of given) readParameter(parameter, indexes, reading);

  const labels = collectFields(reading, 0, serviceLabels);
  const secrets = takeSecrets(labels, reading);
  const destinations = indexes.map((index) => destinationAt(index, context.nowMs, reading));
  const wrong = new Set(problems.filter(({ severity }) => severity === 'error').map(({ label }) => label));
  const spanning = [...checkDestinations(destinations), ...checkModesOfService(labels, destinations)];
  problems.push(...spanning.filter((problem) => !isConsequence(problem, wrong)));
  applyDeprecated(labels, destinations, reading);
  for (const [at, problem] of problems.entries()) problems[at] = withoutUsersOfUrls(problem);
  if (service === undefined || problems.some(({ severity }) => severity === 'error')) return { secrets, problems };
  const definition = withRequires({
    version: 1,
    service,
    owner: context.owner,
    source: context.source,
    updatedAt: context.updatedAt,
    ...(labels as ServiceLabels),
    destinations,
  });
  const exceeded = definitionSizeProblem(definition);
  if (exceeded !== undefined) return { secrets, problems: [...problems, exceeded] };
  return { definition, secrets, problems };
}

const mostLabelCharacters = 400_000;

/** A URL may stand in any label, by mistake. */
function withoutUsersOfUrls(problem: Problem): Problem {
  const { message, value, suggestion } = problem;
  return {
    ...problem,
    message: withoutUsers(message),
    ...(value === undefined ? {} : { value: withoutUsers(value) }),
    ...(suggestion === undefined ? {} : { suggestion: withoutUsers(suggestion) }),
  };
}

interface Reading {
  readonly given: readonly GivenParameter[];
  /** `<label>.<index>` of destinations that do without the default of a label. */
  readonly left: ReadonlySet<string>;
  readonly separator: string;
  readonly problems: Problem[];
  /** Parsed values by field and index: `servicePath.2`. */
  readonly values: Map<string, unknown>;
}

function serviceNameOf(
  given: readonly GivenParameter[],
  context: TranslationContext,
  problems: Problem[],
): string | undefined {
  const name = context.service ?? given.find(({ fullName }) => fullName === 'serviceName')?.value.trim();
  if (name === undefined || name === '') {
    problems.push({
      severity: 'error',
      reason: 'service-name-missing',
      message: 'serviceName is not set',
      label: 'serviceName',
      suggestion: 'set serviceName to the name of the service',
    });
    return undefined;
  }
  if (isName(name)) return name;
  problems.push({
    severity: 'error',
    reason: 'service-name-invalid',
    message: `serviceName is ${JSON.stringify(name)}: expected ${nameExpected}`,
    label: 'serviceName',
    value: name,
    suggestion: 'give the service a name that Docker would take',
  });
  return undefined;
}

function readParameter(parameter: GivenParameter, indexes: readonly number[], reading: Reading): void {
  const known = findLabel(parameter.name);
  if (known === undefined) {
    reading.problems.push(unknownProblem(parameter));
    return;
  }
  if (known.scope === 'other') {
    const problem = labelProblem(known.other, parameter);
    if (problem !== undefined) reading.problems.push(problem);
    return;
  }
  const misplaced = destinationProblem(known, parameter, indexes);
  if (misplaced !== undefined) {
    reading.problems.push(misplaced);
    return;
  }
  const value = known.entry.parse(parameter.value, { separator: reading.separator });
  // A certificate is PEM, which has lines; it is checked when it is sealed.
  const isText = known.field === 'serviceCert' || !value.ok || controlCharacterIn(value.value) === undefined;
  const parsed = isText ? value : not('text without control characters');
  const problem = valueProblem(known.entry, parameter, parsed);
  if (problem !== undefined) reading.problems.push(problem);
  if (!parsed.ok || parsed.value === undefined) return;
  if (known.deprecated) reading.problems.push(deprecatedProblem(known, parameter));
  const place = `${known.field}.${parameter.index}`;
  // The present name of a label stands over its deprecated one, whichever comes first.
  if (known.deprecated && reading.values.has(place)) return;
  reading.values.set(place, parsed.value);
}

/** In the catalogue's order, so that a definition reads the same whatever order its labels came in. */
function collectFields(reading: Reading, index: number, entries: object): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const field of Object.keys(entries)) {
    const value = reading.values.get(`${field}.${index}`);
    if (value !== undefined) fields[field] = value;
  }
  return fields;
}

function destinationAt(index: number, nowMs: number, reading: Reading): Destination {
  const own = collectFields(reading, index, destinationLabels);
  const defaults = index === 0 ? {} : collectFields(reading, 0, destinationLabels);
  const fields: Record<string, unknown> = {};
  for (const [field, { name }] of Object.entries(destinationLabels)) {
    const value = own[field] ?? (reading.left.has(`${name}.${index}`) ? undefined : defaults[field]);
    if (value !== undefined) fields[field] = value;
  }
  const overrides = index === 0 ? {} : overridesAt(reading, index);
  return { index, since: nowMs, ...fields, ...(Object.keys(overrides).length === 0 ? {} : { overrides }) };
}

/** Labels of the whole service that the destination has for itself. Its users have hashes: plain passwords are sealed by service. */
function overridesAt(reading: Reading, index: number): OverridingLabels {
  const fields = collectFields(reading, index, overridableLabels);
  if (fields.users === undefined) return fields;
  const given = reading.given.find(({ fullName }) => fullName === `users.${index}`);
  const users = (readUsers(given?.value ?? '') ?? []).map(({ username, password }, at): UserEntry => {
    if (password === undefined) return { username };
    if (isPasswordHash(password)) return { username, passwordHash: password };
    reading.problems.push({
      severity: 'error',
      reason: 'label-value-invalid',
      message: `the password of user ${at + 1} in users.${index} is no hash that can be used: expected $5$, $6$, $2b$ or $apr1$`,
      label: `users.${index}`,
      value: '(secret)',
      suggestion: 'make one with mkpasswd -m sha-512: users of one destination have hashes',
    });
    return { username };
  });
  return { ...fields, users, usersPassEncrypted: true };
}

/** A missing port is no news where the port was given and could not be read. */
function isConsequence({ reason, label = '' }: Problem, wrong: ReadonlySet<string | undefined>): boolean {
  const causes = {
    'port-missing': ['port'],
    'match-missing': ['servicePath', 'serviceDomain'],
    'tcp-ports-missing': ['srcPort', 'port'],
  };
  const suffix = /\.\d+$/.exec(label)?.[0] ?? '';
  return Object.entries(causes).some(
    ([consequence, names]) =>
      consequence === reason && names.some((name) => wrong.has(name) || wrong.has(name + suffix)),
  );
}

/** Takes passwords and certificates out of the fields, which from then on hold nothing secret. */
function takeSecrets(labels: Record<string, unknown>, reading: Reading): PlainSecrets {
  const passwords = new Map<string, string>();
  const certificate = labels.serviceCert;
  delete labels.serviceCert;
  if (labels.users !== undefined) {
    const raw = reading.given.find(({ fullName }) => fullName === 'users')?.value ?? '';
    const encrypted = labels.usersPassEncrypted === true;
    labels.users = (readUsers(raw) ?? []).map(({ username, password }, at): UserEntry => {
      if (password === undefined) return { username };
      if (!encrypted) {
        passwords.set(username, password);
        return { username };
      }
      if (isPasswordHash(password)) return { username, passwordHash: password };
      reading.problems.push({
        severity: 'error',
        reason: 'label-value-invalid',
        message: `the password of user ${at + 1} in users is no hash that can be used: expected $5$, $6$, $2b$ or $apr1$`,
        label: 'users',
        value: '(secret)',
        suggestion: 'make one with mkpasswd -m sha-512, or leave usersPassEncrypted out',
      });
      return { username };
    });
  }
  return { passwords, ...(typeof certificate === 'string' ? { certificate } : {}) };
}

/** `serviceDomainMatchAll`, `reqPathSearch` and `reqPathReplace` become what replaced them. */
function applyDeprecated(labels: Record<string, unknown>, destinations: Destination[], reading: Reading): void {
  const text = (name: string) => reading.given.find(({ fullName }) => fullName === name)?.value;
  if (text('serviceDomainMatchAll')?.trim().toLowerCase() === 'true' && labels.serviceDomainAlgo === undefined)
    labels.serviceDomainAlgo = 'hdr_dom(host)';
  const search = text('reqPathSearch');
  if (search === undefined) return;
  const rewrite = pathRewriteOf(search, text('reqPathReplace') ?? '');
  const isText = !rewrite.ok || controlCharacterIn(rewrite.value) === undefined;
  const parsed = isText ? rewrite : not('text without control characters');
  if (!parsed.ok) {
    reading.problems.push({
      severity: 'error',
      reason: 'label-value-invalid',
      message: `reqPathSearch is ${JSON.stringify(search)}: expected ${parsed.expected}`,
      label: 'reqPathSearch',
      value: search,
    });
    return;
  }
  const first = parsed.value === undefined ? [] : [parsed.value];
  for (const [at, destination] of destinations.entries())
    destinations[at] = {
      ...destination,
      reqPathSearchReplace: [...first, ...(destination.reqPathSearchReplace ?? [])],
    };
}
