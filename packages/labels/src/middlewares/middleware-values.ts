import type { z } from 'zod';
import { not, ok, type ParsedLabel, type ParseOptions, type Value, type Zod } from '../values/value.ts';
import {
  type MiddlewareKindName,
  type MiddlewareOptionsOf,
  type MiddlewareUse,
  middlewareKinds,
  type UnsupportedMiddleware,
} from './kinds.ts';
import type { MiddlewareKind, MiddlewareOption, OptionTable } from './middleware-kind.ts';
import { type CallArgument, readArguments, readCalls } from './read-calls.ts';

/** At most so many middlewares of one destination. */
export const mostMiddlewares = 50;

const kinds: Readonly<Record<string, MiddlewareKind>> = middlewareKinds as unknown as Record<string, MiddlewareKind>;

/** The kind of that name, which is no name of every object. */
export function middlewareKindOf(name: string): MiddlewareKind | undefined {
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

/** The value of `com.df.<kind>`: options without their kind, or what an older version makes of newer ones. */
export function middlewareValue<Kind extends MiddlewareKindName>(
  kind: Kind,
): Value<MiddlewareOptionsOf<Kind> | UnsupportedMiddleware> {
  const entry = kinds[kind] as MiddlewareKind;
  return {
    parse: (raw, options) => parseOptions(entry, readArguments(raw, options.separator), options) as ParsedLabel<never>,
    schema: (zod) =>
      zod.preprocess(
        (json) => asKnown(isRecord(json) && json.kind === undefined ? { kind, ...json } : json),
        zod.union([unsupportedSchema(zod), schemaOf(zod, entry).transform(({ kind: _kind, ...rest }) => rest)]),
      ) as unknown as z.ZodType<MiddlewareOptionsOf<Kind> | UnsupportedMiddleware>,
  };
}

/** The value of `com.df.middlewares`: `name(options), …`, in the order in which requests pass them. */
export const middlewareList: Value<readonly MiddlewareUse[]> = {
  parse: (raw, options) => {
    const calls = readCalls(raw, options.separator);
    if (typeof calls === 'string') return not(calls);
    if (calls.length === 0 || calls.length > mostMiddlewares) return not(`1 to ${mostMiddlewares} middlewares`);
    const uses: MiddlewareUse[] = [];
    for (const call of calls) {
      const kind = middlewareKindOf(call.name);
      if (kind === undefined) return not(`middlewares among ${Object.keys(kinds).join(', ')}, not ${call.name}`);
      const parsed = parseOptions(kind, call.arguments, options);
      if (!parsed.ok) return { ...parsed, expected: `${parsed.expected} (in ${call.name})` };
      uses.push({ kind: call.name, ...(parsed.value as object) } as MiddlewareUse);
    }
    return ok(uses);
  },
  schema: (zod) => {
    const [first, ...rest] = Object.values(kinds).map((kind) => schemaOf(zod, kind));
    const known = zod.discriminatedUnion('kind', [first as never, ...(rest as never[]), unsupportedSchema(zod)]);
    return zod.array(zod.preprocess(asKnown, known)).min(1).max(mostMiddlewares) as unknown as z.ZodType<
      readonly MiddlewareUse[]
    >;
  },
};

/** One middleware by its options, as another family of labels gives them. */
export function readMiddleware(name: string, given: readonly CallArgument[]): ParsedLabel<MiddlewareUse> {
  const kind = middlewareKindOf(name);
  if (kind === undefined) return not(`middlewares among ${Object.keys(kinds).join(', ')}, not ${name}`);
  const parsed = parseOptions(kind, given, { separator: ',' });
  return parsed.ok ? ok({ kind: name, ...parsed.value } as MiddlewareUse) : parsed;
}

/** Options of a use that are regular expressions. */
export function expressionsOfUse(use: MiddlewareUse): readonly string[] {
  const kind = middlewareKindOf(use.kind);
  if (kind === undefined) return [];
  const values = new Map<string, unknown>(Object.entries(use));
  return Object.entries(kind.options).flatMap(([field, option]) => {
    const value = option.isExpression === true ? values.get(field) : undefined;
    return typeof value === 'string' ? [value] : Array.isArray(value) ? (value as string[]) : [];
  });
}

function parseOptions(
  kind: MiddlewareKind,
  given: readonly CallArgument[],
  options: ParseOptions,
): ParsedLabel<Record<string, unknown>> {
  const lines = new Map<string, string[]>();
  for (const { option, value } of given) {
    const found = option === undefined ? positional(kind) : named(kind, option);
    if (found === undefined)
      return not(
        option === undefined ? `options by name: ${namesOf(kind)}` : `options among ${namesOf(kind)}, not ${option}`,
      );
    const line = found.key === undefined ? value : `${found.key}=${value}`;
    lines.set(found.field, [...(lines.get(found.field) ?? []), line]);
  }
  const fields: Record<string, unknown> = {};
  for (const [field, option] of Object.entries(kind.options)) {
    const texts = lines.get(field);
    if (texts === undefined) {
      if (option.required === true) return not(`the option ${option.name ?? field}`);
      continue;
    }
    const parsed = option.value.parse(texts.join('\n'), options);
    if (!parsed.ok) return not(`${parsed.expected} for ${option.name ?? field}`);
    if (parsed.value !== undefined) fields[field] = parsed.value;
  }
  return ok(fields);
}

interface FoundOption {
  readonly field: string;
  readonly key?: string;
}

function positional({ positional: field }: MiddlewareKind): FoundOption | undefined {
  return field === undefined ? undefined : { field };
}

function named(kind: MiddlewareKind, given: string): FoundOption | undefined {
  const dot = given.indexOf('.');
  const name = dot === -1 ? given : given.slice(0, dot);
  const found = Object.entries(kind.options).find(([field, option]) => (option.name ?? field) === name);
  if (found === undefined || (found[1].keyed === true) !== (dot !== -1)) return undefined;
  return dot === -1 ? { field: found[0] } : { field: found[0], key: given.slice(dot + 1) };
}

function namesOf({ options }: MiddlewareKind): string {
  return Object.entries(options)
    .map(([field, { name, keyed }]) => (name ?? field) + (keyed === true ? '.NAME' : ''))
    .join(', ');
}

function schemaOf(zod: Zod, { kind, options }: MiddlewareKind) {
  const fields = Object.entries(options as OptionTable).map(([field, option]: [string, MiddlewareOption]) => {
    const schema = option.value.schema(zod);
    return [field, option.required === true ? schema : schema.exactOptional()] as const;
  });
  return zod.object({ kind: zod.literal(kind), ...Object.fromEntries(fields) });
}

function unsupportedSchema(zod: Zod) {
  return zod.object({ kind: zod.literal('unsupported'), name: zod.string().max(200), why: zod.string().max(1000) });
}

/**
 * What a newer version wrote, and this one does not know, is unsupported: its route responds with 503, because an option that is
 * dropped may be one that restricts.
 */
function asKnown(json: unknown): unknown {
  if (!isRecord(json) || typeof json.kind !== 'string' || json.kind === 'unsupported') return json;
  const kind = middlewareKindOf(json.kind);
  if (kind === undefined) return unsupported(json.kind, `this version has no middleware ${json.kind.slice(0, 100)}`);
  const unknown = Object.keys(json).find((field) => field !== 'kind' && !Object.hasOwn(kind.options, field));
  if (unknown === undefined) return json;
  return unsupported(kind.kind, `${kind.kind} has no option ${unknown.slice(0, 100)} in this version`);
}

function unsupported(name: string, why: string): UnsupportedMiddleware {
  return { kind: 'unsupported', name: name.slice(0, 200), why };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
