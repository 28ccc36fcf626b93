import { isDeepStrictEqual } from 'node:util';
import type { MaintenanceDocument, Problem, RegistryChange, ServiceKey, Stored } from '@swarmgate/registry';

type SnapshotChange = Extract<RegistryChange, { kind: 'snapshot' }>;
type DeltaChange = Extract<RegistryChange, { kind: 'delta' }>;

/**
 * What the registry last held of the maintenance of each service. A document that cannot be used leaves the last good one
 * in force; without one the service takes requests, and its problem is reported.
 */
export class MaintenanceDocuments {
  readonly #stored = new Map<ServiceKey, Stored<MaintenanceDocument>>();
  readonly #good = new Map<ServiceKey, MaintenanceDocument>();

  /** What is in force, by service, also of services that are not published at present. */
  get inForce(): ReadonlyMap<ServiceKey, MaintenanceDocument> {
    return this.#good;
  }

  /** For a compare-and-set: 0 where there is none. */
  indexOf(key: ServiceKey): number {
    return this.#stored.get(key)?.index ?? 0;
  }

  problemsOf(key: ServiceKey): readonly Problem[] {
    const stored = this.#stored.get(key);
    return stored?.ok === false ? stored.problems : [];
  }

  /** Of the disk: its index comes from the registry. */
  restore(key: ServiceKey, document: MaintenanceDocument): void {
    this.#good.set(key, document);
  }

  /** @param isHeld services that the registry lost are served on, and stay in maintenance with that */
  absorbSnapshot({ snapshot }: SnapshotChange, isHeld: (key: ServiceKey) => boolean): ReadonlySet<ServiceKey> {
    const touched = new Set<ServiceKey>();
    const present = snapshot.maintenance ?? new Map<ServiceKey, Stored<MaintenanceDocument>>();
    for (const key of [...this.#stored.keys(), ...this.#good.keys()]) {
      if (present.has(key)) continue;
      this.#stored.delete(key);
      if (!isHeld(key) && this.#good.delete(key)) touched.add(key);
    }
    for (const [key, found] of present) if (this.#set(key, found)) touched.add(key);
    return touched;
  }

  absorbDelta({ maintenance = new Map() }: DeltaChange): ReadonlySet<ServiceKey> {
    const touched = new Set<ServiceKey>();
    for (const [key, found] of maintenance) {
      touched.add(key);
      if (found !== undefined) this.#set(key, found);
      else {
        this.#stored.delete(key);
        this.#good.delete(key);
      }
    }
    return touched;
  }

  #set(key: ServiceKey, found: Stored<MaintenanceDocument>): boolean {
    const before = this.#stored.get(key);
    this.#stored.set(key, found);
    if (!found.ok) return before?.ok !== false;
    if (isDeepStrictEqual(this.#good.get(key), found.document)) return before?.ok === false;
    this.#good.set(key, found.document);
    return true;
  }
}
