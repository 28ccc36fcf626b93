import type { Problem } from '../definition/problem.ts';
import type { Destination } from '../definition/service-definition.ts';
import type { MiddlewareUse } from '../middlewares/kinds.ts';
import { readMiddleware } from '../middlewares/middleware-values.ts';
import type { MiddlewareCall } from './middleware-calls.ts';

export interface MiddlewareUses {
  /** @param isDeadEnd nothing is served behind the middlewares */
  readonly fields: (isDeadEnd: boolean) => Pick<Destination, 'middlewares' | 'grpcWeb'>;
  readonly problems: readonly Problem[];
}

type ReadCall = Pick<Exclude<MiddlewareCall, { why: string }>, 'kind' | 'options'>;

/** An address that no client has (RFC 919). */
const noAddress = '255.255.255.255/32';

/** The middlewares of a router as a destination holds them. One that cannot be read responds with 503, as an unknown one does. */
export function middlewareUses(
  calls: readonly { readonly name: string; readonly call: MiddlewareCall }[],
  router: string,
  label: string,
): MiddlewareUses {
  const problems: Problem[] = [];
  const isGrpcWeb = calls.some(({ call }) => call.kind === 'grpcWeb');
  const useOf = (name: string, { kind, options }: ReadCall): MiddlewareUse => {
    const read = readMiddleware(kind, options);
    const place = `traefik.http.middlewares.${name}`;
    if (read.ok && read.value !== undefined) return read.value;
    const why = read.ok ? 'it has no options' : `expected ${read.expected}`;
    problems.push({
      severity: 'error',
      reason: 'middleware-unusable',
      message: `the router ${router} responds with 503, because its middleware ${name} cannot be used: ${why}`,
      label: place,
      suggestion: `correct ${place}, or take ${name} out of ${label}`,
    });
    return { kind: 'unsupported', name, why };
  };
  const uses = calls.flatMap(({ name, call }): readonly MiddlewareUse[] => {
    if ('why' in call) return [{ kind: 'unsupported', name, why: call.why }];
    if (call.ignored.length > 0) problems.push(ignoredProblem(name, call.ignored, `traefik.http.middlewares.${name}`));
    const first = call.first === undefined ? [] : [useOf(name, call.first)];
    // Of the destination as a whole, where it stands before all others; headers whose options are all another kind's do nothing.
    const isSaid = call.kind === 'grpcWeb' || (call.first !== undefined && call.options.length === 0);
    return isSaid ? first : [...first, useOf(name, call)];
  });
  return {
    fields: (isDeadEnd) => {
      const all = isDeadEnd ? [...uses, deadEnd] : uses;
      return { ...(isGrpcWeb ? { grpcWeb: true } : {}), ...(all.length === 0 ? {} : { middlewares: all }) };
    },
    problems,
  };
}

/** Responds with 404: nothing is served behind it. */
export const deadEnd: MiddlewareUse = { kind: 'ipAllowList', sourceRange: [noAddress], rejectStatus: 404 };

function ignoredProblem(name: string, options: readonly string[], label: string): Problem {
  return {
    severity: 'warning',
    reason: 'label-not-honoured',
    message: `of the middleware ${name} these options have no effect: ${options.join(', ')}`,
    label,
    suggestion: 'leave them out; docs/middlewares.md lists the options that have one',
  };
}
