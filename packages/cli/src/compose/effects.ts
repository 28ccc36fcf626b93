import type { Route, RouteTable } from '@swarmgate/proxy';
import { redactDefinition } from '@swarmgate/proxy/redact-definition';
import { createRouteTable } from '@swarmgate/proxy/route-table';
import type { ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { serviceKey } from '@swarmgate/registry/vocabulary';
import { type OrderDifference, orderDifferences } from './traefik-order.ts';

/** How these definitions would change the routes of the registered ones. */
export interface Effects {
  /** Requests that move to another service: an example, the present service, the new one. */
  readonly taken: readonly { readonly request: string; readonly from: string; readonly by: string }[];
  /** Matches that an existing service keeps. */
  readonly lost: readonly { readonly service: string; readonly message: string }[];
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Where the order of routers with labels of Traefik is not Traefik's. */
  readonly order: readonly OrderDifference[];
}

export interface EffectOptions {
  readonly order: 'strict' | 'legacy';
  readonly instanceName: string;
  /** Whether the service belongs to the stack and is no longer in its files: it would be removed. */
  readonly isOfStack: (definition: ServiceDefinition) => boolean;
}

/**
 * Compares the proxy's route table before and after. Secrets are left out of both, as the proxy leaves them out of what it shows: one
 * that alone differs is no difference here. Pure.
 */
export function effectsOf(
  registered: readonly ServiceDefinition[],
  desired: readonly ServiceDefinition[],
  { order, instanceName, isOfStack }: EffectOptions,
): Effects {
  const empty = createRouteTable({ order, instanceName, filterInstanceName: false });
  const today = new Map(registered.map((definition) => [serviceKey(definition), definition]));
  const required = new Map(
    desired.map((definition) => [serviceKey(definition), carried(redactDefinition(definition), today)]),
  );
  const gone = registered.filter((definition) => isOfStack(definition) && !required.has(serviceKey(definition)));
  const before = empty.with(today);
  const after = before.with(new Map([...required, ...gone.map((each) => [serviceKey(each), undefined] as const)]));
  return {
    taken: [...required.keys()]
      .flatMap((key) => after.routesOf(key))
      .flatMap((route) => takenBy(route, before, after, required)),
    lost: [...required.keys()].flatMap((key) =>
      after.lostConflicts(key).map(({ message }) => ({ service: key, message })),
    ),
    ...routeChanges(before, after, new Set([...required.keys(), ...gone.map(serviceKey)])),
    order: orderDifferences(after),
  };
}

/** An updated service keeps the age of its matches, as in the listener. */
function carried(definition: ServiceDefinition, today: ReadonlyMap<ServiceKey, ServiceDefinition>): ServiceDefinition {
  const previous = today.get(serviceKey(definition));
  if (previous === undefined) return definition;
  const { since } = previous.destinations[0] ?? { since: 0 };
  return { ...definition, destinations: definition.destinations.map((each) => ({ ...each, since })) };
}

function takenBy(route: Route, before: RouteTable, after: RouteTable, required: ReadonlyMap<ServiceKey, unknown>) {
  return sampleRequests(route).flatMap(({ host, path }) => {
    const target = { method: 'GET', host, path, port: route.destination.srcPort ?? 80, header: () => undefined };
    const from = before.lookup(target);
    const by = after.lookup(target);
    if (from === undefined || by?.key !== route.key || from.key === route.key || required.has(from.key)) return [];
    return [{ request: `${host}${path}`, from: from.key, by: route.key }];
  });
}

/** One request for each host and path that the route names, a host below each wildcard. */
function sampleRequests({ destination }: Route): readonly { readonly host: string; readonly path: string }[] {
  const hosts = (destination.serviceDomain ?? ['any.invalid']).map((host) => host.replace(/^\*\.?/, 'any.'));
  const paths = destination.pathType?.matcher === 'path_reg' ? [] : (destination.servicePath ?? ['/']);
  return hosts.flatMap((host) => paths.map((path) => ({ host: host.toLowerCase(), path })));
}

function routeChanges(before: RouteTable, after: RouteTable, keys: ReadonlySet<ServiceKey>) {
  const changes = { added: [] as string[], changed: [] as string[], removed: [] as string[] };
  for (const key of [...keys].sort()) {
    const old = new Map(before.routesOf(key).map((route) => [route.id, route]));
    const next = new Map(after.routesOf(key).map((route) => [route.id, route]));
    for (const [id, route] of next) {
      const was = old.get(id);
      if (was === undefined) changes.added.push(describeRoute(route));
      else if (describeRoute(was) !== describeRoute(route))
        changes.changed.push(`${describeRoute(was)} → ${describeRoute(route)}`);
    }
    for (const [id, route] of old) if (!next.has(id)) changes.removed.push(describeRoute(route));
  }
  return changes;
}

/** All conditions of the route in one line, in the order of their names, the age of its matches excluded. */
export function describeRoute(route: Route): string {
  const { since: _since, index: _index, requires: _requires, ...labels } = route.destination;
  const parts = Object.entries(labels)
    .toSorted(byName)
    .map(([label, value]) => `${label}=${typeof value === 'object' ? JSON.stringify(inOrder(value)) : value}`);
  return `${route.id} ${parts.join(' ')}`;
}

/** Objects with their names in order: registered and desired definitions are made in different places. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(byName)
      .map(([name, inner]) => [name, inOrder(inner)]),
  );
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
