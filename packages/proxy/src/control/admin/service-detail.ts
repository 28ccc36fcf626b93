import type { ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import type { ServedService } from '../../model/served-service.ts';
import { MergedNumbers } from '../numbers/merged-numbers.ts';
import type { Windows } from '../numbers/service-numbers.ts';
import type { AdminParts } from './admin-parts.ts';
import { maintenanceOf } from './maintenance-view.ts';
import { redactDefinition } from './redact-definition.ts';
import type { EndpointNumbers, ServicesResponse } from './response-bodies.ts';

/** What is served as one service, without what passes through it. */
export type ServiceDocuments = { readonly definition: ServiceDefinition } & Pick<
  ServicesResponse['services'][number],
  'endpoints' | 'origin' | 'addressesFresh' | 'maintenance' | 'drains'
>;

export function documentsOf(served: ServedService): ServiceDocuments {
  const { definition, endpoints, origin, addressesFresh, maintenance } = served;
  return {
    definition: redactDefinition(definition),
    endpoints: endpoints ?? null,
    origin,
    addressesFresh,
    ...maintenanceOf(maintenance, served, Date.now()),
  };
}

/** Of this replica: every endpoint that the service has, and those it had that were requested. */
export function endpointNumbers(
  { server }: Pick<AdminParts, 'server'>,
  key: ServiceKey,
  windows: Windows,
): readonly EndpointNumbers[] {
  const merged = new MergedNumbers([windows]);
  const found = new Map<string, EndpointNumbers>();
  for (const { endpoint, health, outstanding } of server
    .table()
    .routesOf(key)
    .flatMap((route) => server.endpointsOf(route))) {
    const { id, host, port, state } = endpoint;
    found.set(id, { id, host, port, state, health, numbers: merged.of(id, outstanding) });
  }
  for (const id of merged.keys())
    if (!found.has(id))
      found.set(id, { id, host: null, port: null, state: 'gone', health: 'unknown', numbers: merged.of(id, 0) });
  return [...found.values()];
}
