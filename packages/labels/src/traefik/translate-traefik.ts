import { serviceBounds } from '../definition/check-bounds.ts';
import { checkDestinations } from '../definition/check-destinations.ts';
import type { Problem } from '../definition/problem.ts';
import type { Destination } from '../definition/service-definition.ts';
import { entrypointRedirects, entrypointsName } from './entrypoint-redirects.ts';
import type { GivenOptions } from './given-options.ts';
import { type HttpNames, translateHttpRouter } from './http-routers.ts';
import type { ReadLabels } from './read-labels.ts';
import { type SharedNames, sharedNames } from './shared-names.ts';
import { portProblems } from './target-service.ts';
import { type TcpNames, type TranslatedRouter, translateTcpRouter } from './tcp-routers.ts';
import type { TraefikOptions, TraefikService } from './traefik-options.ts';

/** What the `traefik.*` labels of the Swarm make of one of its services. */
export interface TraefikTranslation {
  /** Of all routers that lead to the service, wherever their labels stand. None: nothing of it is served. */
  readonly destinations: readonly Destination[];
  readonly problems: readonly Problem[];
}

/**
 * Translates all services together, because their names are shared: a router may lead to another service, and name
 * middlewares that stand with a third one. The result has each of the services, by id, and `entrypointsName` where entrypoints redirect. Pure; never throws.
 */
export function translateTraefik(
  services: readonly TraefikService[],
  given: TraefikOptions,
  nowMs: number,
): ReadonlyMap<string, TraefikTranslation> {
  const served = services.flatMap(({ servedTlsOptions = [] }) => [...servedTlsOptions].map((name) => `${name}@file`));
  const options = served.length === 0 ? given : { ...given, servedTlsOptions: new Set(served) };
  const taken = services.filter(({ read }) => !read.isRejected);
  const rejected = services.filter(({ read }) => read.isRejected);
  const names = namesOf(taken);
  const problems = new Map<string, Problem[]>();
  const report = (id: string, found: readonly Problem[]) => problems.set(id, [...(problems.get(id) ?? []), ...found]);
  const routers: TranslatedRouter[] = [];
  const used = new Set<string>();
  const usedOfTcp = new Set<string>();
  for (const service of services) {
    report(service.id, service.read.problems);
    for (const section of Object.values(names)) report(service.id, section.problems.get(service.id) ?? []);
  }
  const translateOf = (owner: TraefikService, among: Names): readonly TranslatedRouter[] => {
    const found: TranslatedRouter[] = [];
    for (const [name, given] of routersOf(owner, among.routers)) {
      const translated = translateHttpRouter(name, given, owner, among, options);
      found.push(...translated.routers);
      report(owner.id, translated.problems);
      for (const middleware of translated.used) used.add(middleware);
    }
    for (const { name, options: given } of owner.namesOnly === true ? [] : ownedBy(owner, among.tcpRouters)) {
      const translated = translateTcpRouter(name, given, owner, among, options);
      found.push(...translated.routers);
      report(owner.id, translated.problems);
      for (const middleware of translated.used) usedOfTcp.add(middleware);
    }
    return found;
  };
  for (const owner of taken) routers.push(...translateOf(owner, names));
  // Served by none of them. Their other faults are reported with the unknown label, so that one round mends all.
  const withRejected = rejected.length === 0 ? names : namesOf(services);
  for (const owner of rejected) translateOf(owner, withRejected);
  for (const owner of services) {
    const among = owner.read.isRejected ? withRejected : names;
    report(owner.id, unusedMiddlewares(owner, among.middlewares, used, 'http'));
    report(owner.id, unusedMiddlewares(owner, among.tcpMiddlewares, usedOfTcp, 'tcp'));
    for (const section of ['http.services', 'tcp.services'] as const)
      report(owner.id, portProblems(owner.read.sections[section]));
  }
  for (const { id, read } of rejected) problems.set(id, withoutConsequences(problems.get(id) ?? [], read));
  const redirects = entrypointRedirects(options, nowMs);
  const byOwner = Map.groupBy(routers, ({ owner }) => owner.id);
  return new Map([
    ...(redirects.length === 0 ? [] : [[entrypointsName, { destinations: redirects, problems: [] }] as const]),
    ...services.map(({ id, namesOnly }): readonly [string, TraefikTranslation] => {
      const destinations = numbered(namesOnly === true ? [] : (byOwner.get(id) ?? []), nowMs);
      const wrong = checkDestinations(destinations).filter(({ severity }) => severity === 'error');
      // A service beyond the bounds costs itself alone, and serves nothing rather than a part.
      return [
        id,
        {
          destinations: wrong.length === 0 ? destinations : [],
          problems: unique([...(problems.get(id) ?? []), ...wrong]),
        },
      ];
    }),
  ]);
}

/** A router, service or middleware with an unknown label lacks what that label was to set: this is no problem of its own. */
function withoutConsequences(problems: readonly Problem[], { rejected }: ReadLabels): Problem[] {
  return problems.filter(({ reason, label, message }) => {
    if (reason === 'label-unknown') return true;
    return !rejected.some((place) => {
      const name = place.split('.')[3] ?? place;
      return (
        label?.startsWith(`${place}.`) === true || (reason === 'middleware-unusable' && message.includes(` ${name} `))
      );
    });
  });
}

interface Names extends HttpNames, TcpNames {
  readonly routers: SharedNames;
  readonly tcpRouters: SharedNames;
}

function namesOf(services: readonly TraefikService[]): Names {
  return {
    services: sharedNames(services, 'http.services'),
    middlewares: sharedNames(services, 'http.middlewares'),
    routers: sharedNames(services, 'http.routers'),
    tcpServices: sharedNames(services, 'tcp.services'),
    tcpRouters: sharedNames(services, 'tcp.routers'),
    tcpMiddlewares: sharedNames(services, 'tcp.middlewares'),
  };
}

/** Those of the labels; without any, Traefik makes one with the default rule for a service of HTTP. */
function routersOf(owner: TraefikService, names: SharedNames): readonly (readonly [string, GivenOptions])[] {
  const { sections, hasUdp, hasVersion1 } = owner.read;
  if (owner.namesOnly === true) return [];
  if (owner.provider === 'file') return ownedBy(owner, names).map(({ name, options }) => [name, options]);
  if (sections['http.routers'].size > 0) return ownedBy(owner, names).map(({ name, options }) => [name, options]);
  const isOfOthers = hasVersion1 || hasUdp || sections['tcp.routers'].size > 0 || sections['tcp.services'].size > 0;
  if (isOfOthers && sections['http.services'].size === 0) return [];
  // Middlewares that stand alone are for the routers of others.
  if (sections['http.services'].size === 0) return [];
  return [[owner.name.replace(/[^A-Za-z0-9]+/g, '-'), new Map()]];
}

function ownedBy(owner: TraefikService, { byName }: SharedNames) {
  return [...byName.values()]
    .filter((named) => named.owner === owner)
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function numbered(routers: readonly TranslatedRouter[], nowMs: number): readonly Destination[] {
  return routers
    .slice(0, serviceBounds.destinations + 1)
    .map(({ destination }, at) => ({ index: routers.length === 1 ? 0 : at + 1, since: nowMs, ...destination }));
}

/** A port that is wrong is wrong for every router that leads there. */
function unique(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

function unusedMiddlewares(
  owner: TraefikService,
  middlewares: SharedNames,
  used: ReadonlySet<string>,
  family: 'http' | 'tcp',
): readonly Problem[] {
  return ownedBy(owner, middlewares)
    .filter(({ name }) => !used.has(name))
    .map(({ name, options }) => ({
      severity: 'warning' as const,
      reason: 'middleware-unused',
      message: `no router names the middleware ${name}, so what it should do is not done`,
      label: options.values().next().value?.label ?? `traefik.${family}.middlewares.${name}`,
      suggestion: `add ${name} to traefik.${family}.routers.….middlewares, or leave it out`,
    }));
}
