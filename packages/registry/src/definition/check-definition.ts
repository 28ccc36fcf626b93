import type { Destination, Problem, ServiceDefinition } from '@swarmgate/labels';
import {
  checkDestinations,
  controlCharacterIn,
  looksLikeCredential,
  mayHoldCredential,
  ruleMayHoldCredential,
  withoutQuotes,
} from '@swarmgate/labels';
import type { z } from 'zod';
import { readEndpoints } from './check-endpoints.ts';
import { definitionExample, type ExampleAt, endpointsExample, type FieldExample } from './document-examples.ts';
import type { EndpointsDocument } from './endpoints-document.ts';
import { parseDefinition } from './parse-definition.ts';
import { unknownFields } from './unknown-fields.ts';
import { withUnknownRestrictions } from './unknown-restrictions.ts';

export type DefinitionCheck =
  /** `warnings`, where there are any: what of the document has no effect. */
  | { readonly ok: true; readonly definition: ServiceDefinition; readonly warnings?: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type EndpointsCheck =
  /** `warnings`, where there are any: tasks, addresses and ports that cannot be used and were left out. */
  | { readonly ok: true; readonly endpoints: EndpointsDocument; readonly warnings?: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface ExpectedPlace {
  readonly owner: string;
  readonly service: string;
}

/**
 * Whether a parsed JSON document is a definition of that owner and service. People who edit one in Consul's UI get these
 * messages. Never throws. Unknown fields are dropped with a warning; one that may restrict access closes its routes
 * (`withUnknownRestrictions`). A destination without `index` gets its position, one without `since` gets `updatedAt`, so
 * that a hand-written destination need not have our bookkeeping.
 */
export function checkDefinition(json: unknown, expected: ExpectedPlace): DefinitionCheck {
  const completed = completeDestinations(json);
  const parsed = parseDefinition(completed);
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, completed, definitionExample) };
  const definition: ServiceDefinition = parsed.data;
  const problems = [
    ...misplaced(definition, expected),
    ...withControlCharacters(definition),
    ...repeatedIndexes(definition.destinations),
    ...checkDestinations(definition.destinations),
  ].filter((problem) => problem.severity === 'error');
  if (problems.length > 0) return { ok: false, problems };
  const warnings = isRecord(json) ? unknownFields(json) : [];
  if (warnings.length === 0 || !isRecord(json)) return { ok: true, definition };
  return { ok: true, definition: withUnknownRestrictions(definition, json), warnings };
}

/**
 * As `checkDefinition`, for the endpoints document beside it. A task, an address or a published port that cannot be used
 * is left out with a warning: the others are as good as before.
 */
export function checkEndpoints(json: unknown, expected: ExpectedPlace): EndpointsCheck {
  const read = readEndpoints(json);
  if (!read.ok) return { ok: false, problems: problemsOf(read.error, json, endpointsExample) };
  const problems = misplaced(read.endpoints, expected);
  if (problems.length > 0) return { ok: false, problems };
  const { endpoints, warnings } = read;
  return warnings.length === 0 ? { ok: true, endpoints } : { ok: true, endpoints, warnings };
}

function completeDestinations(json: unknown): unknown {
  if (!isRecord(json) || !Array.isArray(json.destinations)) return json;
  const written = typeof json.updatedAt === 'string' ? Date.parse(json.updatedAt) : Number.NaN;
  const since = Number.isFinite(written) ? Math.max(0, written) : undefined;
  return {
    ...json,
    destinations: json.destinations.map((destination: unknown, position) =>
      isRecord(destination)
        ? { index: position, ...(since === undefined ? {} : { since }), ...destination }
        : destination,
    ),
  };
}

export function misplaced(found: ExpectedPlace, expected: ExpectedPlace): readonly Problem[] {
  if (found.owner === expected.owner && found.service === expected.service) return [];
  return [
    {
      severity: 'error',
      reason: 'definition-misplaced',
      message: `the document is of ${found.owner}/${found.service}, its key of ${expected.owner}/${expected.service}`,
      suggestion: `set owner to ${expected.owner} and service to ${expected.service}, or move the document`,
    },
  ];
}

function withControlCharacters({ serviceCert: _pem, ...definition }: ServiceDefinition): readonly Problem[] {
  const path = controlCharacterIn(definition);
  if (path === undefined) return [];
  const where = path.join('.');
  return [
    {
      severity: 'error',
      reason: 'definition-invalid',
      message: `${where} holds a control character`,
      label: where,
      suggestion: `take it out of ${where}`,
    },
  ];
}

function repeatedIndexes(destinations: readonly Destination[]): readonly Problem[] {
  const repeated = destinations.filter(
    (each, at) => destinations.findIndex((other) => other.index === each.index) < at,
  );
  return repeated.map((each) => ({
    severity: 'error',
    reason: 'definition-invalid',
    message: `two destinations have the index ${each.index}`,
    label: 'index',
    value: String(each.index),
    suggestion: 'give every destination an index of its own',
  }));
}

export function problemsOf(error: z.ZodError, json: unknown, exampleAt?: ExampleAt): readonly Problem[] {
  return error.issues.map((issue) => {
    const path = issue.path.map(String);
    const where = path.length === 0 ? 'the document' : path.join('.');
    const value = shownValue(path, valueAt(json, path));
    return {
      severity: 'error',
      reason: 'definition-invalid',
      message: `${where} is ${value ?? 'not set'}: ${expectationOf(issue.message, value)}`,
      label: where,
      ...(value === undefined ? {} : { value }),
      suggestion: suggestionFor(where, exampleAt?.(path)),
    };
  });
}

function suggestionFor(where: string, example: FieldExample | undefined): string {
  if (example === undefined) return `correct ${where}`;
  return `write it as in {${JSON.stringify(example.field)}: ${JSON.stringify(example.value)}}`;
}

/** Zod's own sentences begin with what is clear, and end with the kind of a value that is shown. */
function expectationOf(message: string, shown: string | undefined): string {
  return (shown === secret ? withoutQuotes(message) : message)
    .replace(/^(?:Invalid input|Too small|Too big|Invalid option|Invalid string): /, '')
    .replace(/, received [a-z]+$/i, '');
}

function valueAt(json: unknown, path: readonly string[]): unknown {
  let value = json;
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isRecord(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

const secret = '(secret)';

/** Fields, of a service, a destination, its overrides or a middleware, inside of which nothing is shown. */
const hiddenInside =
  /^(users|passwordHash|serviceCert|serviceHeader|(add|set)(Req|Res)Header|request|response|plugins)$/;

/** Never a secret: what is inside users, serviceCert or headers is hidden, also where its shape is wrong. */
function shownValue(path: readonly string[], value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (path.length === 0) return Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`;
  if (path.some((step) => hiddenInside.test(step))) return secret;
  if (typeof value === 'string' && holdsCredential(path, value)) return secret;
  if (value !== null && typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 100 ? `${shown.slice(0, 100)}…` : shown;
}

function holdsCredential(path: readonly string[], value: string): boolean {
  if (path.at(-1) === 'rule') return ruleMayHoldCredential(value);
  // An object that was written as text holds what the object would.
  return /^\s*[{[]/.test(value) ? mayHoldCredential(value) : looksLikeCredential(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
