import { middlewareDestinationLabels } from '../catalogue/middleware-labels.ts';
import type { MiddlewareUse, UnsupportedMiddleware } from '../middlewares/kinds.ts';
import { expressionsOfUse } from '../middlewares/middleware-values.ts';
import type { Destination } from './service-definition.ts';

const fields = Object.keys(middlewareDestinationLabels).filter((field) => field !== 'middlewares');

/**
 * The middlewares of a destination in the order in which requests pass them: those of single labels in the catalogue's order,
 * then `middlewares`. Pure.
 */
export function middlewaresOf(destination: Partial<Destination>): readonly MiddlewareUse[] {
  const values: Readonly<Record<string, unknown>> = { ...destination };
  const single: MiddlewareUse[] = [];
  for (const field of fields) {
    const options = values[field];
    if (options !== undefined) single.push({ kind: field, ...(options as object) } as MiddlewareUse);
  }
  return destination.middlewares === undefined ? single : [...single, ...destination.middlewares];
}

/** The first one that cannot be served: the destination responds with 503. */
export function unsupportedMiddleware(destination: Partial<Destination>): UnsupportedMiddleware | undefined {
  return middlewaresOf(destination).find((use) => use.kind === 'unsupported');
}

/** Regular expressions of all middlewares of a destination. */
export function middlewareExpressions(destination: Partial<Destination>): readonly string[] {
  return middlewaresOf(destination).flatMap(expressionsOfUse);
}
