import type { ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { hasExpressions, prepareExpressions } from '../../routing/expressions.ts';
import type { RouteTable } from '../../routing/route-table.ts';

type Definitions = ReadonlyMap<ServiceKey, ServiceDefinition | undefined>;

/**
 * The table after a change, one expression or service with expressions a step: they cost most of what a change costs.
 * `undefined` where the change has none, and is best made in one go. `forgetPrepared` once it is in force.
 */
export function tableAfter(
  current: () => RouteTable,
  definitions: Definitions,
): Generator<unknown, RouteTable> | undefined {
  const withExpressions = [...definitions].filter(([, definition]) => hasExpressions(definition));
  if (withExpressions.length === 0) return undefined;
  return steps(current, definitions, withExpressions);
}

function* steps(
  current: () => RouteTable,
  definitions: Definitions,
  withExpressions: readonly (readonly [ServiceKey, ServiceDefinition | undefined])[],
): Generator<unknown, RouteTable> {
  yield* prepareExpressions(definitions.values());
  const others = new Map(definitions);
  for (const [key] of withExpressions) others.delete(key);
  let table = current().with(others);
  yield;
  for (const one of withExpressions) {
    table = table.with(new Map([one]));
    yield;
  }
  return table;
}
