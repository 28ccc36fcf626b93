import {
  destinationLabels,
  type LabelEntry,
  overridableLabels,
  serviceBounds,
  serviceLabels,
  type ValueOf,
} from '@swarmgate/labels';
import { isName, nameExpected } from '@swarmgate/runtime';
import { z } from 'zod';

/**
 * The shape of a definition as JSON, its labels' fields from the catalogue. Unknown fields are dropped, so that a newer
 * listener may write beside an older proxy. `checkDestination` checks what spans several fields.
 */

type Shape<Entries> = { [Field in keyof Entries]: z.ZodExactOptional<z.ZodType<ValueOf<Entries[Field]>>> };

function shapeOf<Entries extends { readonly [Field in keyof Entries]: LabelEntry }>(entries: Entries): Shape<Entries> {
  const shapes = Object.entries<LabelEntry>(entries).map(([field, entry]) => [field, entry.schema(z).exactOptional()]);
  return Object.fromEntries(shapes) as Shape<Entries>;
}

export const nameSchema = z.string().refine(isName, `expected ${nameExpected}`);
const features = z.array(z.string().min(1).max(100)).max(100).exactOptional();

export const serviceLabelsShape = shapeOf(serviceLabels);

export const destinationShape = {
  index: z.int().min(0).max(serviceBounds.destinations),
  since: z.int().min(0),
  requires: features,
  // Strict: a reader that dropped a field here would serve without what it restricts.
  overrides: z.strictObject(shapeOf(overridableLabels)).exactOptional(),
  ...shapeOf(destinationLabels),
};

const source = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('swarm'),
    swarmId: z.string(),
    serviceId: z.string(),
    versionIndex: z.number(),
  }),
  z.object({ kind: z.enum(['rest', 'env', 'sample']), by: z.string() }),
]);

export const definitionSchema = z.object({
  version: z.literal(1),
  service: nameSchema,
  owner: nameSchema,
  source,
  updatedAt: z.iso.datetime(),
  requires: features,
  ...serviceLabelsShape,
  destinations: z.array(z.object(destinationShape)).min(1),
});
