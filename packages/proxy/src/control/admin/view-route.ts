import type { Destination } from '@swarmgate/registry';
import type { Route } from '../../model/route.ts';
import type { ServedService } from '../../model/served-service.ts';
import { redactRule } from '../../routing/request-rule.ts';
import type { AdminParts } from './admin-parts.ts';
import { upstreamProtocolOf } from './explain-http2.ts';
import { maintenanceOf } from './maintenance-view.ts';
import { redactRequiredHeaders } from './redact-definition.ts';
import type { RouteView } from './response-bodies.ts';

/** Labels that decide which requests a destination claims or lets through. */
const conditionLabels = [
  'serviceDomain',
  'servicePath',
  'pathType',
  'servicePathExclude',
  'serviceHeader',
  'userAgent',
  'rule',
  'entryPorts',
  'priority',
  'srcPort',
  'reqMode',
  'allowedMethods',
  'deniedMethods',
  'httpsOnly',
  'denyHttp',
  'verifyClientSsl',
] as const satisfies readonly (keyof Destination)[];

export function viewRoute(route: Route, { server, follower }: Pick<AdminParts, 'server' | 'follower'>): RouteView {
  const { definition, destination } = route;
  const served = follower.served.services.get(route.key);
  return {
    id: route.id,
    service: definition.service,
    owner: definition.owner,
    index: destination.index,
    origin: served?.origin ?? 'registry',
    addressesFresh: served?.addressesFresh ?? true,
    conditions: conditionsOf(route),
    upstream: { port: route.upstreamPort, secure: route.upstreamSecure, protocol: upstreamProtocolOf(route) },
    ...(route.blockedBy === undefined ? {} : { blockedBy: route.blockedBy }),
    ...(route.redirectToHost === undefined ? {} : { redirectToHost: route.redirectToHost }),
    ...(isDown(served) ? { maintenance: true as const } : {}),
    endpoints: server
      .endpointsOf(route)
      .map(({ endpoint, health, outstanding }) => ({ ...endpoint, health, outstanding })),
  };
}

function isDown(served: ServedService | undefined): boolean {
  if (served === undefined) return false;
  // Of nearly every service: the table has thousands.
  if (served.maintenance === undefined && served.definition.maintenance !== true) return false;
  return maintenanceOf(served.maintenance, served, Date.now()).maintenance !== null;
}

export function conditionsOf({ definition, destination }: Route): Record<string, unknown> {
  const conditions: Record<string, unknown> = {};
  for (const label of conditionLabels) if (destination[label] !== undefined) conditions[label] = destination[label];
  const { serviceHeader } = destination;
  if (serviceHeader !== undefined) conditions.serviceHeader = redactRequiredHeaders(serviceHeader);
  if (destination.rule !== undefined) conditions.rule = redactRule(destination.rule);
  if (definition.isDefaultBackend) conditions.isDefaultBackend = true;
  return conditions;
}
