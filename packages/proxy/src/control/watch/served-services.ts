import {
  type EndpointsDocument,
  type MaintenanceDocument,
  type Problem,
  type RegistryChange,
  type ServiceDefinition,
  type ServiceKey,
  type Stored,
  serviceKey,
} from '@swarmgate/registry';
import type { ServedService, ServicesChange } from '../../model/served-service.ts';
import { type Holding, type Moment, RegisteredServices } from './registered-services.ts';

/** What the disk kept: everything that was served, at the revision it was served at. */
export interface KeptSnapshot {
  readonly registryId: string;
  readonly revision: string;
  readonly sequence: number;
  readonly services: readonly ServedService[];
}

/**
 * Derives what is served from what the registry holds. `absorb` takes the registry's state, `settle` gives the difference
 * to what was settled before; between the two, `setFallback` may add definitions from the history.
 */
export class ServedServices {
  readonly #registered = new RegisteredServices();
  readonly #served = new Map<ServiceKey, ServedService>();
  readonly #rejected = new Map<ServiceKey, readonly Problem[]>();
  #touched = new Set<ServiceKey>();
  readonly #env: readonly ServedService[];
  #envSettled = false;
  #diskIsStale = false;
  /** Owners that publish endpoints, sorted; computed at most once per `settle`. */
  #endpointOwners: readonly string[] | undefined;
  /** Settled, but not known to be in force: the next step carries it too. */
  #unconfirmed: ReadonlyMap<ServiceKey, ServedService | undefined> = new Map();

  constructor(env: readonly ServedService[]) {
    this.#env = env;
  }

  get services(): ReadonlyMap<ServiceKey, ServedService> {
    return this.#served;
  }

  get rejected(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    return this.#rejected;
  }

  get labelProblems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    return this.#registered.labelProblems;
  }

  /** What of the documents has no effect: unknown fields, tasks that cannot be used. */
  get warnings(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    return this.#registered.warnings;
  }

  /** By service, also of those that are not published at present. */
  get maintenance(): ReadonlyMap<ServiceKey, MaintenanceDocument> {
    return this.#registered.maintenance.inForce;
  }

  /** For a compare-and-set of a maintenance document: 0 where there is none. */
  maintenanceIndex(key: ServiceKey): number {
    return this.#registered.maintenance.indexOf(key);
  }

  get foreignKeys(): readonly string[] {
    return this.#registered.foreignKeys;
  }

  get revision(): string {
    return this.#registered.revision;
  }

  get sequence(): number {
    return this.#registered.sequence;
  }

  get registryId(): string {
    return this.#registered.registryId;
  }

  get holding(): Holding | undefined {
    return this.#registered.holding;
  }

  /** Services that the registry does not hold any more and that are served on. */
  get held(): ReadonlySet<ServiceKey> {
    return this.#registered.held;
  }

  /** What the registry holds now, usable or not, with its index. `undefined` also for what is held without its key. */
  registered(key: ServiceKey): Stored<ServiceDefinition> | undefined {
    return this.held.has(key) ? undefined : this.#registered.definitions.get(key);
  }

  /** Services of the registry, or of the disk before it responded. */
  get registeredCount(): number {
    return this.#registered.definitions.size;
  }

  restore(kept: KeptSnapshot, addressesStale: boolean): void {
    this.#diskIsStale = addressesStale;
    this.#registered.restore(kept, kept.services);
    this.#touch(this.#registered.definitions.keys());
  }

  /** The snapshot's addresses have become too old to be used while the registry has not responded. */
  distrustDisk(): void {
    if (!this.#registered.fromDisk || this.#diskIsStale) return;
    this.#diskIsStale = true;
    this.#touch(this.#registered.definitions.keys());
  }

  absorb(change: Extract<RegistryChange, { kind: 'snapshot' | 'delta' }>, now: Moment): void {
    if (change.kind === 'delta') {
      this.#touch(this.#registered.absorbDelta(change));
      return;
    }
    // The snapshot's part ends here: what it marked as its own or as stale is decided again.
    if (this.#registered.fromDisk) this.#touch(this.#registered.definitions.keys());
    this.#touch(this.#registered.absorbSnapshot(change, now));
  }

  /**
   * Definitions that cannot be used and have no fallback yet, among those that changed.
   * @param before others to look at, too
   */
  lackingFallback(before: Iterable<ServiceKey> = []): readonly ServiceKey[] {
    return [...new Set([...this.#touched, ...before])].filter(
      (key) => this.#registered.definitions.get(key)?.ok === false && !this.#registered.lastGood.has(key),
    );
  }

  setFallback(key: ServiceKey, definition: ServiceDefinition): void {
    this.#registered.setFallback(key, definition);
    this.#touched.add(key);
  }

  /** Owners that have published something in the registry as it is now. */
  ownersPresent(): ReadonlySet<string> {
    const owners = new Set<string>();
    for (const key of this.#registered.definitions.keys()) if (!this.held.has(key)) owners.add(ownerOf(key));
    return owners;
  }

  release(may: (key: ServiceKey) => boolean): void {
    this.#touch(this.#registered.release(may));
  }

  /** What changed since it was last called. Empty `changes` still carry a revision to report. */
  settle(): ServicesChange {
    const changes = new Map(this.#unconfirmed);
    this.#endpointOwners = undefined;
    if (!this.#envSettled) {
      this.#envSettled = true;
      for (const each of this.#env) {
        this.#served.set(each.key, each);
        changes.set(each.key, each);
      }
    }
    for (const key of this.#touched) {
      const before = this.#served.get(key);
      const now = this.#derive(key);
      if (now === undefined) this.#served.delete(key);
      else this.#served.set(key, now);
      if (!isServedAlike(before, now)) changes.set(key, now);
      const problems = this.#problemsOf(key);
      if (problems.length === 0) this.#rejected.delete(key);
      else this.#rejected.set(key, problems);
    }
    this.#touched = new Set();
    this.#unconfirmed = changes;
    const { revision, sequence, registryId } = this.#registered;
    return { revision, sequence, registryId, changes, rejected: new Map(this.#rejected) };
  }

  /** What was settled is in force. */
  confirm(): void {
    this.#unconfirmed = new Map();
  }

  #touch(keys: Iterable<ServiceKey>): void {
    for (const key of keys) {
      this.#touched.add(key);
      // A manual definition without endpoints of its own uses those of the service it overrides.
      const manual = serviceKey({ owner: 'manual', service: serviceOf(key) });
      if (manual !== key && this.#registered.definitions.has(manual)) this.#touched.add(manual);
    }
  }

  #derive(key: ServiceKey): ServedService | undefined {
    const registered = this.#registered;
    const found = registered.definitions.get(key);
    if (found === undefined) return undefined;
    const held = registered.held.has(key);
    const good = found.ok
      ? { definition: found.document, origin: held ? ('last-good' as const) : undefined }
      : registered.lastGood.get(key);
    if (good === undefined) return undefined;
    const reach = this.#endpointsFor(key);
    const maintenance = this.#maintenanceFor(key);
    return {
      key,
      definition: good.definition,
      endpoints: reach.endpoints,
      ...(maintenance === undefined ? {} : { maintenance }),
      origin: good.origin ?? (registered.fromDisk ? 'snapshot' : 'registry'),
      addressesFresh: !held && reach.fresh && !(registered.fromDisk && this.#diskIsStale),
    };
  }

  /** What replaces a service is in maintenance with it: a rollback must not end that. */
  #maintenanceFor(key: ServiceKey): MaintenanceDocument | undefined {
    const { inForce } = this.#registered.maintenance;
    const own = inForce.get(key);
    if (own !== undefined || inForce.size === 0 || ownerOf(key) !== 'manual') return own;
    const service = serviceOf(key);
    for (const [other, document] of inForce) if (serviceOf(other) === service) return document;
    return undefined;
  }

  #endpointsFor(key: ServiceKey): { readonly endpoints: EndpointsDocument | undefined; readonly fresh: boolean } {
    const own = this.#endpointsAt(key);
    if (own.endpoints !== undefined || ownerOf(key) !== 'manual') return own;
    const service = serviceOf(key);
    this.#endpointOwners ??= ownersOf(this.#registered.endpoints.keys());
    for (const owner of this.#endpointOwners) {
      const other = this.#endpointsAt(serviceKey({ owner, service }));
      if (other.endpoints !== undefined) return other;
    }
    return own;
  }

  #endpointsAt(key: ServiceKey): { readonly endpoints: EndpointsDocument | undefined; readonly fresh: boolean } {
    const found = this.#registered.endpoints.get(key);
    if (found === undefined) return { endpoints: undefined, fresh: true };
    if (found.ok) return { endpoints: found.document, fresh: !this.#registered.heldEndpoints.has(key) };
    return { endpoints: this.#registered.lastGoodEndpoints.get(key), fresh: false };
  }

  #problemsOf(key: ServiceKey): readonly Problem[] {
    const registered = this.#registered;
    const definition = registered.definitions.get(key);
    const endpoints = registered.endpoints.get(key);
    const problems: Problem[] = [];
    if (definition?.ok === false) problems.push(...definition.problems, this.#consequence(key));
    if (endpoints?.ok === false && definition !== undefined) problems.push(...endpoints.problems);
    if (definition !== undefined) problems.push(...registered.maintenance.problemsOf(key));
    if (registered.held.has(key)) problems.push(heldProblem(registered.holding));
    return problems;
  }

  #consequence(key: ServiceKey): Problem {
    const good = this.#registered.lastGood.get(key);
    if (good === undefined)
      return {
        severity: 'error',
        reason: 'rejected',
        message: 'the definition cannot be used and has no earlier version that can: it has no route',
        suggestion: 'correct the document, or publish the service again',
      };
    const which = good.origin === 'history' ? 'the newest usable version in its history' : 'its last good version';
    return {
      severity: 'warning',
      reason: 'last-good-served',
      message: `the definition cannot be used: ${which}, of ${good.definition.updatedAt}, is served instead`,
    };
  }
}

function heldProblem(holding: Holding | undefined): Problem {
  const how = holding?.reason === 'other-registry' ? 'the registry is another one' : 'most services vanished at once';
  return {
    severity: 'warning',
    reason: 'held',
    message: `not in the registry any more without an entry in the journal (${how}): served on, by its DNS name only`,
    suggestion: 'publish it again, or let go of it with `swarmgate reload --force`',
  };
}

function isServedAlike(before: ServedService | undefined, now: ServedService | undefined): boolean {
  return (
    before?.definition === now?.definition &&
    before?.endpoints === now?.endpoints &&
    before?.maintenance === now?.maintenance &&
    before?.addressesFresh === now?.addressesFresh
  );
}

/** Sorted, so that every replica borrows from the same one. */
function ownersOf(keys: Iterable<ServiceKey>): readonly string[] {
  const owners = new Set<string>();
  for (const key of keys) owners.add(ownerOf(key));
  return [...owners].sort();
}

export function ownerOf(key: ServiceKey): string {
  return key.slice(0, key.indexOf('/'));
}

export function serviceOf(key: ServiceKey): string {
  return key.slice(key.indexOf('/') + 1);
}
