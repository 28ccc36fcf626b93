import type { ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { type CompiledService, type CompileOptions, compileService } from './compile-service.ts';
import { HostIndex } from './host-index.ts';
import { addRule, conflictsOf, type MatchKey, removeRule } from './match-key.ts';
import { type CompiledRoute, type MatchPhase, type MatchRule, matchKeyOf } from './match-rule.ts';
import { compareIdentity, compareText, type MatchingOrder } from './matching-order.ts';
import { type Edit, PersistentMap } from './persistent-map.ts';

export interface TableRules extends CompileOptions {
  readonly instanceName: string;
  /** `FILTER_PROXY_INSTANCE_NAME`: services that name another instance are not served. */
  readonly filterInstanceName: boolean;
}

/** What a table is made of. Two tables share all that no change between them touched. */
export interface TableParts {
  readonly services: PersistentMap<CompiledService>;
  /** How many services each owner publishes. There are few owners: each Swarm, and `manual`. */
  readonly owners: ReadonlyMap<string, number>;
  readonly indexes: Readonly<Record<MatchPhase, HostIndex>>;
  /** Routes of default backends, the one to use first at the front. */
  readonly defaults: readonly CompiledRoute[];
  /** Match keys with more than one match rule under equal conditions. */
  readonly conflicting: PersistentMap<MatchKey>;
  /** Services with something to report of their own. */
  readonly flawed: PersistentMap<CompiledService>;
  readonly overridden: PersistentMap<CompiledService>;
  /** Routes in force. */
  readonly size: number;
}

export function emptyParts(order: MatchingOrder): TableParts {
  const strict = order.name === 'strict';
  return {
    services: PersistentMap.empty(),
    owners: new Map(),
    indexes: {
      acme: HostIndex.empty(order, false),
      redirect: HostIndex.empty(order, strict),
      prioritized: HostIndex.empty({ ...order, byMatchKey: false }, false),
      ordinary: HostIndex.empty(order, strict),
    },
    defaults: [],
    conflicting: PersistentMap.empty(),
    flawed: PersistentMap.empty(),
    overridden: PersistentMap.empty(),
    size: 0,
  };
}

/** `overridden`: a manual definition of that name (owner `manual`) is in force instead. */
export type ServiceStatus = 'in-force' | 'overridden' | 'other-instance';

export function statusOf(service: CompiledService, parts: TableParts, rules: TableRules): ServiceStatus {
  if (isForOtherInstance(service, rules)) return 'other-instance';
  return parts.overridden.has(service.key) ? 'overridden' : 'in-force';
}

/** The owner of manual definitions: they override every other owner's service of the same name. */
const MANUAL = 'manual';

export function changedParts(
  parts: TableParts,
  changes: ReadonlyMap<ServiceKey, ServiceDefinition | undefined>,
  rules: TableRules,
): { readonly parts: TableParts; readonly touched: ReadonlySet<ServiceKey> } {
  const change = new PartsChange(parts, rules);
  for (const [key, definition] of changes) change.replace(key, definition);
  return change;
}

/** One change in the making. The edit ends with it, and with it the right to write into what it made. */
class PartsChange {
  parts: TableParts;
  /** Services whose routes or status changed. */
  readonly touched = new Set<ServiceKey>();
  readonly #rules: TableRules;
  readonly #edit: Edit = {};

  constructor(parts: TableParts, rules: TableRules) {
    this.parts = parts;
    this.#rules = rules;
  }

  replace(key: ServiceKey, definition: ServiceDefinition | undefined): void {
    const before = this.parts.services.get(key);
    if (before?.definition === definition) return;
    const after = definition && compileService(definition, this.#rules, key);
    if (before) this.#leave(before);
    const beside = key.startsWith(`${MANUAL}/`) ? this.#othersNamed(key.slice(MANUAL.length + 1)) : [];
    for (const other of beside) this.#leave(other);
    this.#update({
      services: this.parts.services.set(key, after, this.#edit),
      owners: withCount(this.parts.owners, key.slice(0, key.indexOf('/')), Number(!!after) - Number(!!before)),
      flawed: this.parts.flawed.set(key, after && after.problems.length > 0 ? after : undefined, this.#edit),
    });
    if (after) this.#enter(after);
    for (const other of beside) this.#enter(other);
  }

  #othersNamed(name: string): readonly CompiledService[] {
    const owners = [...this.parts.owners.keys()].filter((owner) => owner !== MANUAL);
    return owners.flatMap((owner) => this.parts.services.get(`${owner}/${name}`) ?? []);
  }

  #enter(service: CompiledService): void {
    this.touched.add(service.key);
    if (isForOtherInstance(service, this.#rules)) return;
    if (isOverridden(service, this.parts, this.#rules)) {
      this.#update({ overridden: this.parts.overridden.set(service.key, service, this.#edit) });
      return;
    }
    for (const { matchRules } of service.routes) for (const rule of matchRules) this.#addRule(rule);
    if (service.definition.isDefaultBackend === true) {
      const defaults = [...this.parts.defaults, ...service.routes.filter(({ mode }) => mode === 'http')];
      this.#update({ defaults: defaults.sort(this.#rules.order.name === 'strict' ? compareDefaults : compareByName) });
    }
    this.#update({ size: this.parts.size + service.routes.length });
  }

  #leave(service: CompiledService): void {
    this.touched.add(service.key);
    const status = statusOf(service, this.parts, this.#rules);
    if (status === 'overridden')
      this.#update({ overridden: this.parts.overridden.set(service.key, undefined, this.#edit) });
    if (status !== 'in-force') return;
    for (const { matchRules } of service.routes) for (const rule of matchRules) this.#removeRule(rule);
    if (service.definition.isDefaultBackend === true)
      this.#update({ defaults: this.parts.defaults.filter(({ route }) => route.key !== service.key) });
    this.#update({ size: this.parts.size - service.routes.length });
  }

  #addRule(rule: MatchRule): void {
    this.#put(rule, addRule(this.parts.indexes[rule.phase].find(rule), rule, this.#rules.order));
  }

  #removeRule(rule: MatchRule): void {
    const matchKey = this.parts.indexes[rule.phase].find(rule);
    if (matchKey) this.#put(rule, removeRule(matchKey, rule, this.#rules.order));
  }

  #put(rule: MatchRule, matchKey: MatchKey | undefined): void {
    const { indexes, conflicting } = this.parts;
    const hasConflict = matchKey !== undefined && conflictsOf(matchKey).some(({ competing }) => competing.length > 0);
    this.#update({
      indexes: { ...indexes, [rule.phase]: indexes[rule.phase].set(rule, matchKey, this.#edit) },
      conflicting: conflicting.set(matchKeyOf(rule), hasConflict ? matchKey : undefined, this.#edit),
    });
  }

  #update(changed: Partial<TableParts>): void {
    this.parts = { ...this.parts, ...changed };
  }
}

function isForOtherInstance({ definition }: CompiledService, rules: TableRules): boolean {
  if (!rules.filterInstanceName) return false;
  const { proxyInstanceName } = definition;
  return proxyInstanceName !== undefined && proxyInstanceName !== rules.instanceName;
}

function isOverridden({ definition }: CompiledService, parts: TableParts, rules: TableRules): boolean {
  if (definition.owner === MANUAL) return false;
  const manual = parts.services.get(`${MANUAL}/${definition.service}`);
  return manual !== undefined && !isForOtherInstance(manual, rules);
}

function withCount(counts: ReadonlyMap<string, number>, owner: string, change: number): ReadonlyMap<string, number> {
  if (change === 0) return counts;
  const changed = new Map(counts);
  const count = (counts.get(owner) ?? 0) + change;
  if (count === 0) changed.delete(owner);
  else changed.set(owner, count);
  return changed;
}

/** The oldest default backend comes first. */
function compareDefaults(one: CompiledRoute, other: CompiledRoute): number {
  return one.route.destination.since - other.route.destination.since || compareIdentity(one, other);
}

function compareByName(one: CompiledRoute, other: CompiledRoute): number {
  return compareText(one.aclName, other.aclName) || compareIdentity(one, other);
}
