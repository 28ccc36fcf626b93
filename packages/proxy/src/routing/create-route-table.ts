import type { Problem, ServiceDefinition, ServiceDomainAlgo, ServiceKey } from '@swarmgate/registry';
import type { RequestTarget } from '../model/request-target.ts';
import type { Route } from '../model/route.ts';
import type { CompiledService } from './compile-service.ts';
import { firstFailed, takesEntry, takesMethod } from './conditions.ts';
import { explainRequest } from './explain.ts';
import type { HostBucket } from './host-bucket.ts';
import { type Conflict, chooseShare, conflictOf, conflictsOf, losersOf } from './match-key.ts';
import type { CompiledRoute, MatchRule } from './match-rule.ts';
import { acmePath, legacyOrder, type OrderName, specificityRank, strictOrder } from './matching-order.ts';
import { pathForRules } from './normal-path.ts';
import type { PathReading } from './path-readings.ts';
import { conflictOfReading } from './reading-conflicts.ts';
import { compareRoutes, type EarlierOrder, earlierOrder, mergeRoutes } from './route-order.ts';
import type { EntryOfRequest, ExplainedReading, Explanation, RouteStatus, RouteTable } from './route-table.ts';
import { changedParts, emptyParts, statusOf, type TableParts, type TableRules } from './table-parts.ts';
import { findProblems, type TableProblems } from './table-problems.ts';

export interface RouteTableOptions {
  readonly order: OrderName;
  /** For services without the label. Default: the exact host. */
  readonly serviceDomainAlgo?: ServiceDomainAlgo;
  readonly instanceName: string;
  /** Services whose `proxyInstanceName` is another one are not served. */
  readonly filterInstanceName: boolean;
  /** Restricting features that the middleware honours. Default: all of this version. */
  readonly features?: ReadonlySet<string>;
  /** At least 0, below 1: shares requests among weighted services. Default `Math.random`. */
  readonly random?: () => number;
}

/** A table without routes; `with` makes the others. */
export function createRouteTable(options: RouteTableOptions): RouteTable {
  const { random = Math.random, order: name, ...rest } = options;
  const order = name === 'strict' ? strictOrder : legacyOrder;
  return new CompiledTable({ ...rest, order }, random, emptyParts(order));
}

class CompiledTable implements RouteTable {
  readonly #rules: TableRules;
  readonly #random: () => number;
  readonly #parts: TableParts;
  readonly #earlier: EarlierOrder | undefined;
  readonly #hasRedirects: boolean;
  readonly #hasPriorities: boolean;
  // Worked out when first requested; the parts never change, so neither do these.
  #inOrder: readonly CompiledRoute[] | undefined;
  #problems: TableProblems | undefined;

  constructor(rules: TableRules, random: () => number, parts: TableParts, earlier?: EarlierOrder) {
    this.#earlier = earlier;
    this.#rules = rules;
    this.#random = random;
    this.#parts = parts;
    this.#hasRedirects = !parts.indexes.redirect.isEmpty;
    this.#hasPriorities = !parts.indexes.prioritized.isEmpty;
  }

  get size(): number {
    return this.#parts.size;
  }

  lookup(sent: RequestTarget): Route | undefined {
    const target = asRulesSee(sent);
    const conflict = this.#search(target);
    if (conflict === undefined) return this.#default(target)?.route;
    return conflict.direct ?? this.#settle(conflict, target).of.route;
  }

  lookupUnambiguous(sent: RequestTarget, readings: readonly PathReading[]): Route | 'path-ambiguous' | undefined {
    const target = asRulesSee(sent);
    const chosen = this.#reachedBy(target);
    for (const reading of readings) {
      const reached = this.#reachedBy(atPath(target, reading.path));
      if (conflictOfReading(reading, chosen, reached, target) !== undefined) return 'path-ambiguous';
    }
    return this.lookup(target);
  }

  *routes(): IterableIterator<Route> {
    this.#inOrder ??= this.#sorted();
    for (const { route } of this.#inOrder) yield route;
  }

  routesOf(key: ServiceKey): readonly Route[] {
    return this.#parts.services.get(key)?.routes.map(({ route }) => route) ?? [];
  }

  statusOf(route: Route): RouteStatus {
    const service = this.#parts.services.get(route.key);
    const compiled = service?.routes.find((other) => other.route.id === route.id);
    if (service === undefined || compiled === undefined) return 'overridden';
    const status = statusOf(service, this.#parts, this.#rules);
    if (status !== 'in-force') return status;
    const { matchRules } = compiled;
    return matchRules.length > 0 && matchRules.every((rule) => this.#winnerOver(rule)) ? 'conflict' : 'in-force';
  }

  hostRankAt(name: string, entry: EntryOfRequest): number | undefined {
    let least: number | undefined;
    for (const index of Object.values(this.#parts.indexes))
      for (const [rank, host] of index.hostsOf(name)) {
        if (least !== undefined && rank >= least) continue;
        if (hasRouteAt(host, entry)) least = rank;
      }
    return least;
  }

  routesOfHostAt(name: string, entry: EntryOfRequest, requested: number): readonly Route[] {
    const found = new Set<Route>();
    for (const index of Object.values(this.#parts.indexes))
      for (const [rank, host] of index.hostsOf(name)) {
        if (rank !== requested) continue;
        for (const { route, conditions } of host.routes()) if (takesEntry(conditions, entry)) found.add(route);
      }
    return [...found];
  }

  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    return this.#findProblems().all;
  }

  lostConflicts(key: ServiceKey): readonly Problem[] {
    return this.#findProblems().lost.get(key) ?? [];
  }

  explainReadings(sent: RequestTarget, readings: readonly PathReading[]): readonly ExplainedReading[] {
    const target = asRulesSee(sent);
    const chosen = this.#reachedBy(target);
    return readings.map((reading) => {
      const reached = this.#reachedBy(atPath(target, reading.path));
      const conflict = conflictOfReading(reading, chosen, reached, target);
      return { reading, routes: reached.map(({ route }) => route), conflict };
    });
  }

  explain(sent: RequestTarget, limit = 250): Explanation {
    const steps = this.explainInSteps(sent, limit);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  explainInSteps(sent: RequestTarget, limit = 250): Generator<undefined, Explanation> {
    const target = asRulesSee(sent);
    const conflict = this.#search(target);
    const winner = conflict && this.#settle(conflict, target);
    return explainRequest(target, {
      winner: winner ?? undefined,
      byDefault: winner === undefined ? this.#default(target) : undefined,
      services: this.#parts.services.values(),
      status: (service) => statusOf(service, this.#parts, this.#rules),
      winnerOver: (rule) => this.#winnerOver(rule),
      order: this.#rules.order,
      limit,
    });
  }

  with(changes: ReadonlyMap<ServiceKey, ServiceDefinition | undefined>): RouteTable {
    const { parts, touched } = changedParts(this.#parts, changes, this.#rules);
    if (parts === this.#parts) return this;
    return new CompiledTable(this.#rules, this.#random, parts, earlierOrder(this.#inOrder, this.#earlier, touched));
  }

  #search(target: RequestTarget): Conflict | undefined {
    const { acme, redirect, prioritized, ordinary } = this.#parts.indexes;
    if (target.path.startsWith(acmePath)) {
      const challenge = acme.best(target);
      if (challenge !== undefined) return challenge;
    }
    const redirected = this.#hasRedirects ? redirect.best(target) : undefined;
    // `*.shop.example` may lead to www.shop.example, which it covers too: that must not lead to itself for ever.
    const leadsOn = redirected !== undefined && redirected.winner.of.route.redirectToHost !== target.host;
    if (leadsOn) return redirected;
    const found = ordinary.best(target);
    return this.#hasPriorities ? moreSpecific(found, prioritized.best(target)) : found;
  }

  /** Among routes of one host and path the one that takes the method, else the first; then one of those that share. */
  #settle(conflict: Conflict, target: RequestTarget): MatchRule {
    const settled = this.#takingMethod(conflict, target);
    return settled.shares.length === 0 ? settled.winner : chooseShare(settled, this.#random());
  }

  #takingMethod(conflict: Conflict, target: RequestTarget): Conflict {
    return takesMethod(conflict.conditions, target.method) ? conflict : (this.#byMethod(conflict, target) ?? conflict);
  }

  /** The route of a target, or all that share it by weight. */
  #reachedBy(target: RequestTarget): readonly CompiledRoute[] {
    const conflict = this.#search(target);
    if (conflict === undefined) {
      const byDefault = this.#default(target);
      return byDefault === undefined ? [] : [byDefault];
    }
    const { winner, shares } = this.#takingMethod(conflict, target);
    return shares.length === 0 ? [winner.of] : shares.map(({ of }) => of);
  }

  #byMethod(conflict: Conflict, target: RequestTarget): Conflict | undefined {
    if (this.#rules.order.name === 'legacy') return undefined;
    const rule = conflict.winner;
    const matchKey = this.#parts.indexes[rule.phase].find(rule);
    if (matchKey === undefined) return undefined;
    return conflictsOf(matchKey).find(
      ({ conditions }) => takesMethod(conditions, target.method) && firstFailed(conditions, target) === undefined,
    );
  }

  #default(target: RequestTarget): CompiledRoute | undefined {
    return this.#parts.defaults.find(({ conditions: { port } }) => port === undefined || port === target.port);
  }

  /** The rule that takes the requests of this one, if there is one. */
  #winnerOver(rule: MatchRule): MatchRule | undefined {
    const matchKey = this.#parts.indexes[rule.phase].find(rule);
    const conflict = matchKey && conflictOf(matchKey, rule);
    return conflict && losersOf(conflict).includes(rule) ? conflict.winner : undefined;
  }

  #findProblems(): TableProblems {
    this.#problems ??= findProblems(this.#parts, this.#rules.order.name);
    return this.#problems;
  }

  #sorted(): readonly CompiledRoute[] {
    const { order } = this.#rules;
    const { services } = this.#parts;
    if (this.#earlier !== undefined) {
      const touched = [...this.#earlier.touched].flatMap((key) => services.get(key) ?? []);
      return mergeRoutes(this.#earlier, this.#inForce(touched), order);
    }
    return this.#inForce(services.values()).sort((one, other) => compareRoutes(one, other, order));
  }

  #inForce(services: Iterable<CompiledService>): CompiledRoute[] {
    const routes: CompiledRoute[] = [];
    for (const service of services) {
      if (statusOf(service, this.#parts, this.#rules) === 'in-force') routes.push(...service.routes);
    }
    return routes;
  }
}

function hasRouteAt(host: HostBucket, entry: EntryOfRequest): boolean {
  for (const { conditions } of host.routes()) if (takesEntry(conditions, entry)) return true;
  return false;
}

function moreSpecific(ordinary: Conflict | undefined, prioritized: Conflict | undefined): Conflict | undefined {
  if (ordinary === undefined || prioritized === undefined) return ordinary ?? prioritized;
  const isLess = specificityRank(ordinary.winner) > specificityRank(prioritized.winner);
  return isLess ? prioritized : ordinary;
}

function asRulesSee(target: RequestTarget): RequestTarget {
  const path = pathForRules(target.path);
  // Nearly always the same: this runs for every request.
  return path === target.path ? target : atPath(target, path);
}

function atPath(target: RequestTarget, path: string): RequestTarget {
  const { method, host, port, secure, query, clientAddress } = target;
  return {
    method,
    host,
    path,
    port,
    header: (name) => target.header(name),
    ...(target.lines === undefined ? {} : { lines: (name: string) => target.lines?.(name) ?? [] }),
    ...(secure === undefined ? {} : { secure }),
    ...(query === undefined ? {} : { query }),
    ...(clientAddress === undefined ? {} : { clientAddress }),
  };
}
