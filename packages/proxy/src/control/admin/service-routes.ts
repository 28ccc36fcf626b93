import type { ServiceKey } from '@swarmgate/registry';
import { Router } from 'express';
import type { ServedService } from '../../model/served-service.ts';
import { inFlightByService, inFlightOfAll } from '../numbers/in-flight.ts';
import { MergedNumbers } from '../numbers/merged-numbers.ts';
import { busiestFirst, type ReplicaTotals, windowsOf } from '../numbers/replica-totals.ts';
import { noWindows, type Windows } from '../numbers/service-numbers.ts';
import type { Steps, TakeSteps } from '../steps.ts';
import { ownerOf, serviceOf } from '../watch/served-services.ts';
import type { AdminParts } from './admin-parts.ts';
import { optionalNameOf, requireAuthorization } from './http.ts';
import { BadRequestError, choiceOf, queryOf } from './request-query.ts';
import type { CoveredReplica, ServicesResponse } from './response-bodies.ts';
import { documentsOf, endpointNumbers } from './service-detail.ts';

type ResponseInParts = Omit<ServicesResponse, 'services'> & {
  readonly services: Iterable<ServicesResponse['services'][number]>;
};

interface ServicesQuery {
  readonly service: string | undefined;
  readonly owner: string | undefined;
  readonly scope: 'replica' | 'all';
  readonly fields: 'all' | 'numbers';
  readonly most: number;
}

/** `GET /v1/services`: what is served, as documents, and what passed through. */
export function serviceRoutes(parts: AdminParts): Router {
  const router = Router();
  router.get('/v1/services', requireAuthorization(parts, 'services'), (request, response) => {
    const query = readQuery(queryOf(request));
    return parts.long.respond(response, async (signal) => {
      const take: TakeSteps = (steps) => parts.long.inSlices(steps, signal);
      const { services, ...head } = await servicesResponse(parts, query, take);
      await parts.long.sendList(response, head, 'services', services, signal);
    });
  });
  return router;
}

/** @throws BadRequestError */
function readQuery(query: ReadonlyMap<string, string>): ServicesQuery {
  return {
    service: optionalNameOf(query, 'service'),
    owner: optionalNameOf(query, 'owner'),
    scope: choiceOf(query, 'replicas', ['replica', 'all'], 'replica'),
    fields: choiceOf(query, 'fields', ['all', 'numbers'], 'all'),
    most: mostOf(query.get('limit')),
  };
}

/** `services` are made one by one, as they are taken. */
async function servicesResponse(parts: AdminParts, query: ServicesQuery, take: TakeSteps): Promise<ResponseInParts> {
  const { server } = parts;
  const numbers = await server.numbers?.();
  const own = (await numbers?.byService(take)) ?? noWindows;
  const ofOne = query.service === undefined ? undefined : serviceKeysOf(parts, query.service);
  const details = new Map<ServiceKey, Windows>();
  for (const key of ofOne ?? []) details.set(key, (await numbers?.byEndpoint(key, take)) ?? noWindows);
  const others = query.scope === 'all' ? await parts.totals.others() : [];
  return take(responseInParts(parts, query, own, others, details));
}

function serviceKeysOf({ follower }: AdminParts, service: string): readonly ServiceKey[] {
  return [...follower.served.services.keys()].filter((key) => serviceOf(key) === service);
}

function* responseInParts(
  parts: AdminParts,
  query: ServicesQuery,
  own: Windows,
  others: readonly ReplicaTotals[],
  details: ReadonlyMap<ServiceKey, Windows>,
): Steps<ResponseInParts> {
  const { follower, server, replica } = parts;
  const { served } = follower;
  const windows = [own];
  for (const each of others) windows.push(yield* windowsOf(each));
  const merged = new MergedNumbers(windows);
  const inFlight = yield* inFlightByService(server);
  const inFlightOf = (service: string) =>
    others.reduce((sum, each) => sum + (each.services[service]?.inFlight ?? 0), inFlight.get(service) ?? 0);
  const chosen = [...served.services.values()].filter(
    ({ key }) =>
      (query.service === undefined || serviceOf(key) === query.service) &&
      (query.owner === undefined || ownerOf(key) === query.owner),
  );
  yield;
  const shown = query.most < chosen.length ? yield* busiest(chosen, windows, query.most) : chosen;
  const withTraffic = merged.keys();
  function* services(): Generator<ServicesResponse['services'][number]> {
    for (const each of shown) {
      const { key } = each;
      const detail = details.get(key);
      yield {
        service: key,
        ...(query.fields === 'all' ? documentsOf(each) : {}),
        numbers: withTraffic.has(key) || inFlight.has(key) ? merged.of(key, inFlightOf(key)) : null,
        ...(detail === undefined ? {} : { endpointNumbers: endpointNumbers(parts, key, detail) }),
      };
    }
  }
  const now = Date.now();
  const coveredOthers = others.map(
    ({ replica: name, at, complete, services: theirs }): CoveredReplica => ({
      replica: name,
      ageMs: Math.max(0, now - Date.parse(at)),
      services: complete ? 'all' : Object.keys(theirs).length,
    }),
  );
  return {
    revision: served.revision,
    replicas: [{ replica: replica.name, ageMs: 0, services: 'all' }, ...coveredOthers],
    total: yield* merged.total(others.reduce((sum, each) => sum + each.inFlight, inFlightOfAll(server))),
    unmatched: merged.of('', 0),
    services: services(),
  };
}

function* busiest(
  services: readonly ServedService[],
  parts: readonly Windows[],
  most: number,
): Steps<readonly ServedService[]> {
  const order = new Map<string, number>();
  for (const part of parts)
    for (const [at, service] of (yield* busiestFirst(part)).entries()) {
      order.set(service, Math.min(at, order.get(service) ?? Number.POSITIVE_INFINITY));
      yield;
    }
  const places: ServedService[][] = [];
  for (const each of services) {
    const place = order.get(each.key) ?? order.size;
    places[place] ??= [];
    places[place].push(each);
    yield;
  }
  return places.flat().slice(0, most);
}

function mostOf(given: string | undefined): number {
  if (given === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9][0-9]{0,5}$/.test(given)) return Number(given);
  throw new BadRequestError('parameter-invalid', 'limit is not a number from 1 to 999999');
}
