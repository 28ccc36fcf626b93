import type { ServiceKey } from '@swarmgate/registry';
import { inFlightByService } from '../numbers/in-flight.ts';
import { MergedNumbers } from '../numbers/merged-numbers.ts';
import { type ReplicaTotals, windowsOf } from '../numbers/replica-totals.ts';
import { noWindows, type ServiceNumbers } from '../numbers/service-numbers.ts';
import type { WindowNumbers } from '../numbers/window-counts.ts';
import type { TakeSteps } from '../steps.ts';
import type { AdminParts } from './admin-parts.ts';
import { type DatedProblemsByService, viewForeignKey, viewProblems } from './collect-problems.ts';
import type { MaintainedService } from './maintenance-view.ts';
import type { RouteView, ServicesResponse, ShownCertificate, StateNumbers, StateRoute } from './response-bodies.ts';
import { endpointNumbers } from './service-detail.ts';
import { viewRoute } from './view-route.ts';

/** One item of the state as `GET /v1/events` sends it. */
export type StateItem = readonly [name: string, value: unknown];

/** Every served service with its routes in force, one a step. */
export function* serviceItems(parts: Pick<AdminParts, 'server' | 'follower'>): Generator<StateItem> {
  const table = parts.server.table();
  for (const key of [...parts.follower.served.services.keys()]) {
    const routes = table.routesOf(key).filter((route) => table.statusOf(route) === 'in-force');
    yield [key, routes.map((route) => stateRoute(viewRoute(route, parts)))];
  }
}

/** Without what changes with every request: each such change would be an event. */
function stateRoute({ endpoints, ...route }: RouteView): StateRoute {
  return { ...route, endpoints: endpoints.map(({ outstanding: _changes, ...endpoint }) => endpoint) };
}

export function* problemItems(problems: DatedProblemsByService): Generator<StateItem> {
  for (const entry of problems) yield [entry[0], [...viewProblems(new Map([entry]))]];
}

export function keyItem({ follower }: Pick<AdminParts, 'follower'>): unknown {
  return follower.served.foreignKeys.map(viewForeignKey);
}

/** What every service counted, of the replicas in the scope together. */
export interface CountedRequests {
  readonly merged: MergedNumbers;
  readonly own: ServiceNumbers | undefined;
  readonly others: readonly ReplicaTotals[];
}

export async function countRequests(
  { server, totals }: Pick<AdminParts, 'server' | 'totals'>,
  scope: 'replica' | 'all',
  take: TakeSteps,
): Promise<CountedRequests> {
  const own = await server.numbers?.();
  const others = scope === 'all' ? await totals.others() : [];
  const windows = [(await own?.byService(take)) ?? noWindows];
  for (const each of others) windows.push(await take(windowsOf(each)));
  return { merged: new MergedNumbers(windows), own, others };
}

/** The last minute of every service that had requests, one a step. */
export function* numberItems({ merged }: CountedRequests): Generator<StateItem> {
  for (const key of merged.keys()) if (key !== '') yield [key, stateNumbers(merged.window(key, 'lastMinute'))];
}

/** The last minute of all of them. */
export async function totalItem({ merged }: CountedRequests, take: TakeSteps): Promise<StateNumbers> {
  return stateNumbers((await take(merged.total(0))).lastMinute);
}

/** What passed through one service, and through each of its endpoints at this replica. */
export async function detailItem(
  parts: Pick<AdminParts, 'server'>,
  key: ServiceKey,
  { merged, own, others }: CountedRequests,
  take: TakeSteps,
): Promise<Pick<ServicesResponse['services'][number], 'numbers' | 'endpointNumbers'>> {
  const ownInFlight = (await take(inFlightByService(parts.server))).get(key) ?? 0;
  const inFlight = others.reduce((sum, { services }) => sum + (services[key]?.inFlight ?? 0), ownInFlight);
  const hasNumbers = inFlight > 0 || merged.keys().has(key);
  return {
    numbers: hasNumbers ? merged.of(key, inFlight) : null,
    endpointNumbers: endpointNumbers(parts, key, (await own?.byEndpoint(key, take)) ?? noWindows),
  };
}

export function* certificateItems({
  certificates,
}: {
  readonly certificates: Iterable<ShownCertificate>;
}): Generator<StateItem> {
  // One name may have several, of several sources or ends.
  for (const each of certificates) yield [`${each.from}/${each.name}/${each.expiresAt}`, each];
}

export function* maintenanceItems(services: Iterable<MaintainedService>): Generator<StateItem> {
  for (const each of services) yield [`${each.owner}/${each.service}`, each];
}

/** To three digits: a rate over a window that grows would otherwise be another one with every look. */
function stateNumbers({ requestsPerSecond, errorsPercent, p50Ms, p99Ms }: WindowNumbers): StateNumbers {
  const short = (value: number) => Number(value.toPrecision(3));
  return {
    requestsPerSecond: short(requestsPerSecond),
    errorsPercent: short(errorsPercent),
    p50Ms: p50Ms === null ? null : short(p50Ms),
    p99Ms: p99Ms === null ? null : short(p99Ms),
  };
}
