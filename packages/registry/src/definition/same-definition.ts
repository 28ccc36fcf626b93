import { isDeepStrictEqual } from 'node:util';

/**
 * Whether two definitions, checked or as they were read, are equivalent. When it was written is no difference, and
 * neither is the version index of a service that changed in something that is none of ours (an image, a constraint):
 * followers need not be notified.
 */
export function isSameDefinition(left: object, right: object): boolean {
  return isDeepStrictEqual(timeless(left), timeless(right));
}

function timeless(definition: object): unknown {
  const { updatedAt: _updatedAt, source, ...rest } = definition as Readonly<Record<string, unknown>>;
  const isOfSwarm = typeof source === 'object' && source !== null && 'kind' in source && source.kind === 'swarm';
  return { ...rest, source: isOfSwarm ? { ...source, versionIndex: 0 } : source };
}
