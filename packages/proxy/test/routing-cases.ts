import { hostCases } from './routing-cases/host-cases.ts';
import { legacyCases } from './routing-cases/legacy-cases.ts';
import { pathCases } from './routing-cases/path-cases.ts';
import { predicateCases } from './routing-cases/predicate-cases.ts';
import type { RoutingCase } from './routing-cases/routing-case.ts';
import { serviceCases } from './routing-cases/service-cases.ts';
import { spellingCases } from './routing-cases/spelling-cases.ts';

export { definitionOf, type GivenService, type RoutingCase } from './routing-cases/routing-case.ts';

/** Given some services, when a request comes, then a route has it. Run against the compiled table and through a proxy. */
export const routingCases: readonly RoutingCase[] = [
  ...hostCases,
  ...pathCases,
  ...spellingCases,
  ...predicateCases,
  ...serviceCases,
  ...legacyCases,
];
