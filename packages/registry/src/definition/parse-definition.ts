import type { ServiceDefinition } from '@swarmgate/labels';
import { z } from 'zod';
import { definitionSchema, destinationShape } from './definition-schema.ts';

/** More sets of fields than a registry uses: what has one more is checked by the schema of all fields. */
const mostSchemas = 256;

const schemas = new Map<string, z.ZodType<ServiceDefinition>>();

/**
 * As `definitionSchema.safeParse`, by a schema of the fields that the document has and those that it needs. Zod runs the
 * schema of a field that is absent as well, and makes and drops its issues: of a hundred labels a definition has five, so
 * that takes six parts in seven of the time.
 */
export function parseDefinition(json: unknown): z.ZodSafeParseResult<ServiceDefinition> {
  const fields = fieldsOf(json);
  if (fields === undefined) return definitionSchema.safeParse(json);
  const key = `${fields.ofService.join()} ${fields.ofDestinations.join()}`;
  let schema = schemas.get(key);
  if (schema === undefined) {
    if (schemas.size >= mostSchemas) return definitionSchema.safeParse(json);
    schema = schemaOf(fields);
    schemas.set(key, schema);
  }
  return schema.safeParse(json);
}

interface Fields {
  readonly ofService: readonly string[];
  /** Of all destinations together. */
  readonly ofDestinations: readonly string[];
}

/** Those that the catalogue has. `undefined` for what is no definition at all. */
function fieldsOf(json: unknown): Fields | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const destinations = 'destinations' in json ? json.destinations : undefined;
  if (!Array.isArray(destinations)) return undefined;
  const ofDestinations = new Set<string>();
  for (const destination of destinations) {
    if (typeof destination !== 'object' || destination === null) continue;
    for (const field of Object.keys(destination)) if (Object.hasOwn(destinationShape, field)) ofDestinations.add(field);
  }
  return {
    ofService: Object.keys(json).filter((field) => Object.hasOwn(definitionSchema.shape, field)),
    ofDestinations: [...ofDestinations],
  };
}

function schemaOf({ ofService, ofDestinations }: Fields): z.ZodType<ServiceDefinition> {
  const destination = z.object(shapeWith(destinationShape, ofDestinations));
  const shape = { ...shapeWith(definitionSchema.shape, ofService), destinations: z.array(destination).min(1) };
  // The same fields as `definitionSchema`, without optional ones that this document does not have.
  return z.object(shape) as unknown as z.ZodType<ServiceDefinition>;
}

/** In the order of the whole shape: issues come in that order. */
function shapeWith(whole: Readonly<Record<string, z.ZodType>>, present: readonly string[]): Record<string, z.ZodType> {
  const isKept = new Set(present);
  return Object.fromEntries(
    Object.entries(whole).filter(([field, schema]) => isKept.has(field) || !(schema instanceof z.ZodExactOptional)),
  );
}
