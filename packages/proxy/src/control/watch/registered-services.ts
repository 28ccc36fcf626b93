import { isDeepStrictEqual } from 'node:util';
import type {
  EndpointsDocument,
  Problem,
  RegistryChange,
  RegistrySnapshot,
  ServiceDefinition,
  ServiceKey,
  Stored,
} from '@swarmgate/registry';
import type { ServedService } from '../../model/served-service.ts';
import { MaintenanceDocuments } from './maintenance-documents.ts';
import { decideVanished } from './vanishing.ts';

type SnapshotChange = Extract<RegistryChange, { kind: 'snapshot' }>;
type DeltaChange = Extract<RegistryChange, { kind: 'delta' }>;

/** A clock that is set must not hide a loss: spans are measured with the monotonic clock. */
export interface Moment {
  /** Milliseconds since the epoch. */
  readonly epochMs: number;
  /** Of the monotonic clock, in milliseconds. */
  readonly uptimeMs: number;
}

/** Why services are kept that the registry does not hold any more. */
export interface Holding {
  readonly reason: 'mass-loss' | 'other-registry';
  readonly sinceMs: number;
}

/**
 * What the registry last held of each service, and the fallbacks for what cannot be used. Bookkeeping only: no
 * clock, no I/O. Every call names the services it touched, so that the cost of a change follows the change.
 */
export class RegisteredServices {
  readonly definitions = new Map<ServiceKey, Stored<ServiceDefinition>>();
  readonly endpoints = new Map<ServiceKey, Stored<EndpointsDocument>>();
  readonly labelProblems = new Map<ServiceKey, readonly Problem[]>();
  readonly maintenance = new MaintenanceDocuments();
  /** What of the documents in force has no effect. */
  readonly warnings = new Map<ServiceKey, readonly Problem[]>();
  /** Fallbacks for definitions that cannot be used, and only for those. */
  readonly lastGood = new Map<ServiceKey, { readonly definition: ServiceDefinition; readonly origin: Fallback }>();
  readonly lastGoodEndpoints = new Map<ServiceKey, EndpointsDocument>();
  /** Not in the registry any more, without a reason that counts. */
  readonly held = new Set<ServiceKey>();
  readonly heldEndpoints = new Set<ServiceKey>();
  registryId = '';
  revision = 'none';
  sequence = 0;
  foreignKeys: readonly string[] = [];
  holding: Holding | undefined;
  readonly #recentlyLost = { definitions: new RecentCount(), endpoints: new RecentCount() };
  /** What is known comes from the disk; the registry has not responded yet. */
  fromDisk = false;

  /** Starts from what this proxy served last time. */
  restore(
    disk: Pick<RegisteredServices, 'registryId' | 'revision' | 'sequence'>,
    services: readonly ServedService[],
  ): void {
    this.registryId = disk.registryId;
    this.revision = disk.revision;
    this.sequence = disk.sequence;
    this.fromDisk = true;
    for (const { key, definition, endpoints, maintenance } of services) {
      this.definitions.set(key, { ok: true, document: definition, index: onDisk });
      if (endpoints !== undefined) this.endpoints.set(key, { ok: true, document: endpoints, index: onDisk });
      if (maintenance !== undefined) this.maintenance.restore(key, maintenance);
    }
  }

  absorbSnapshot(change: SnapshotChange, now: Moment): ReadonlySet<ServiceKey> {
    const { snapshot } = change;
    const otherRegistry = this.registryId !== '' && this.registryId !== snapshot.registryId;
    const touched = new Set<ServiceKey>();
    this.#loseVanished(change, otherRegistry, touched, now);
    // An index is valid only within one life of one registry; a restored backup may repeat it.
    const trustIndexes =
      !otherRegistry && !this.fromDisk && ['hand-edit', 'journal-gap', 'requested'].includes(change.cause);
    for (const [key, found] of snapshot.services) {
      if (this.held.delete(key) || !isSame(this.definitions.get(key), found, trustIndexes)) touched.add(key);
      this.#setDefinition(key, found, trustIndexes);
    }
    for (const [key, found] of snapshot.endpoints) {
      if (this.heldEndpoints.delete(key) || !isSame(this.endpoints.get(key), found, trustIndexes)) touched.add(key);
      this.#setEndpoints(key, found, trustIndexes);
    }
    for (const key of this.maintenance.absorbSnapshot(change, (held) => this.held.has(held))) touched.add(key);
    this.#setLabelProblems(snapshot);
    this.foreignKeys = snapshot.foreignKeys;
    this.registryId = snapshot.registryId;
    this.revision = snapshot.revision;
    this.sequence = snapshot.sequence;
    this.fromDisk = false;
    this.#endHoldingIfOver();
    return touched;
  }

  absorbDelta(change: DeltaChange): ReadonlySet<ServiceKey> {
    const touched = new Set<ServiceKey>();
    for (const [key, found] of change.services) {
      touched.add(key);
      this.held.delete(key);
      if (found === undefined) this.#forgetDefinition(key);
      else this.#setDefinition(key, found, false);
    }
    for (const [key, found] of change.endpoints) {
      touched.add(key);
      this.heldEndpoints.delete(key);
      if (found === undefined) this.#forgetEndpoints(key);
      else this.#setEndpoints(key, found, false);
    }
    for (const key of this.maintenance.absorbDelta(change)) touched.add(key);
    for (const [key, problems] of change.labelProblems) {
      if (problems === undefined) this.labelProblems.delete(key);
      else this.labelProblems.set(key, problems);
    }
    this.revision = change.revision;
    this.sequence = change.sequence;
    this.#endHoldingIfOver();
    return touched;
  }

  /** Lets go of held services that `may` names. */
  release(may: (key: ServiceKey) => boolean): ReadonlySet<ServiceKey> {
    const touched = new Set<ServiceKey>();
    for (const key of [...this.held].filter(may)) {
      this.held.delete(key);
      this.#forgetDefinition(key);
      touched.add(key);
    }
    for (const key of [...this.heldEndpoints].filter(may)) {
      this.heldEndpoints.delete(key);
      this.#forgetEndpoints(key);
      touched.add(key);
    }
    this.#endHoldingIfOver();
    return touched;
  }

  /** A definition from the history, as the fallback for one that cannot be used and has no last good version here. */
  setFallback(key: ServiceKey, definition: ServiceDefinition): void {
    if (this.definitions.get(key)?.ok === false && !this.lastGood.has(key))
      this.lastGood.set(key, { definition, origin: 'history' });
  }

  #loseVanished(
    { snapshot, journalled }: SnapshotChange,
    otherRegistry: boolean,
    touched: Set<ServiceKey>,
    { epochMs, uptimeMs }: Moment,
  ): void {
    const lose = <T>(
      documents: Map<ServiceKey, Stored<T>>,
      held: Set<ServiceKey>,
      recentlyLost: RecentCount,
      present: ReadonlyMap<ServiceKey, unknown>,
      forget: (key: ServiceKey) => void,
    ) => {
      // What is held stays held however much is published beside it: only its own return, the journal or an operator ends that.
      const known = [...documents.keys()].filter((key) => !held.has(key) || journalled.has(key));
      const decision = decideVanished({
        known,
        present,
        journalled,
        otherRegistry,
        // Whatever vanishes while a loss is being held is part of it.
        recentlyLost: recentlyLost.count(uptimeMs) + held.size,
      });
      recentlyLost.add(decision.remove.filter((key) => !journalled.has(key)).length, uptimeMs);
      for (const key of decision.remove) {
        held.delete(key);
        forget(key);
        touched.add(key);
      }
      for (const key of decision.hold) {
        held.add(key);
        touched.add(key);
      }
      if (decision.hold.length > 0)
        this.holding = { reason: otherRegistry ? 'other-registry' : 'mass-loss', sinceMs: epochMs };
    };
    const recently = this.#recentlyLost;
    lose(this.definitions, this.held, recently.definitions, snapshot.services, (key) => this.#forgetDefinition(key));
    lose(this.endpoints, this.heldEndpoints, recently.endpoints, snapshot.endpoints, (key) =>
      this.#forgetEndpoints(key),
    );
  }

  #setDefinition(key: ServiceKey, found: Stored<ServiceDefinition>, trustIndexes: boolean): void {
    const before = this.definitions.get(key);
    if (found.ok) {
      this.lastGood.delete(key);
      this.definitions.set(key, keepingIdentity(before, found, trustIndexes));
      this.#setWarnings(key);
      return;
    }
    if (before?.ok) this.lastGood.set(key, { definition: before.document, origin: 'last-good' });
    this.definitions.set(key, found);
    this.#setWarnings(key);
  }

  #setEndpoints(key: ServiceKey, found: Stored<EndpointsDocument>, trustIndexes: boolean): void {
    const before = this.endpoints.get(key);
    if (found.ok) {
      this.lastGoodEndpoints.delete(key);
      this.endpoints.set(key, keepingIdentity(before, found, trustIndexes));
      this.#setWarnings(key);
      return;
    }
    if (before?.ok) this.lastGoodEndpoints.set(key, before.document);
    this.endpoints.set(key, found);
    this.#setWarnings(key);
  }

  #setWarnings(key: ServiceKey): void {
    const all = [this.definitions.get(key), this.endpoints.get(key)].flatMap((found) =>
      found?.ok ? (found.warnings ?? []) : [],
    );
    if (all.length === 0) this.warnings.delete(key);
    else this.warnings.set(key, all);
  }

  #forgetDefinition(key: ServiceKey): void {
    this.definitions.delete(key);
    this.lastGood.delete(key);
    this.#setWarnings(key);
  }

  #forgetEndpoints(key: ServiceKey): void {
    this.endpoints.delete(key);
    this.lastGoodEndpoints.delete(key);
    this.#setWarnings(key);
  }

  #setLabelProblems(snapshot: RegistrySnapshot): void {
    this.labelProblems.clear();
    for (const [key, problems] of snapshot.labelProblems) this.labelProblems.set(key, problems);
  }

  #endHoldingIfOver(): void {
    if (this.held.size === 0 && this.heldEndpoints.size === 0) this.holding = undefined;
  }
}

export type Fallback = 'last-good' | 'history';

const onDisk = -1;

/** How many services went by hand within the last minute. */
class RecentCount {
  #counts: { readonly atMs: number; readonly count: number }[] = [];

  add(count: number, uptimeMs: number): void {
    if (count > 0) this.#counts.push({ atMs: uptimeMs, count });
  }

  count(uptimeMs: number): number {
    this.#counts = this.#counts.filter(({ atMs }) => uptimeMs - atMs < recentMs);
    return this.#counts.reduce((sum, { count }) => sum + count, 0);
  }
}

const recentMs = 60_000;

function isSame<T>(before: Stored<T> | undefined, now: Stored<T>, trustIndexes: boolean): boolean {
  if (before === undefined || before.ok !== now.ok) return false;
  if (trustIndexes && before.index === now.index) return true;
  return before.ok && now.ok ? isDeepStrictEqual(before.document, now.document) : isDeepStrictEqual(before, now);
}

/** The former document where the new one is equal, so that a comparison by identity shows no change. */
function keepingIdentity<T>(
  before: Stored<T> | undefined,
  now: Stored<T> & { ok: true },
  trustIndexes: boolean,
): Stored<T> {
  return before?.ok && isSame<T>(before, now, trustIndexes) ? { ...now, document: before.document } : now;
}
