import { ServiceStates } from './service-states.ts';
import type { Certificate, Certificates, MaintainedService, ServiceNumbers, StateChanges } from './types.ts';

type Documents = Omit<ServiceNumbers, 'service' | 'numbers' | 'endpointNumbers'>;
type Details = Pick<ServiceNumbers, 'numbers' | 'endpointNumbers'>;

/** What the stream has sent so far, beside what stands under one name only. */
export class StreamedState {
  readonly services = new ServiceStates();
  readonly #maintenance = new SortedItems<MaintainedService>();
  readonly #certificates = new SortedItems<Certificate>();
  readonly #documents = new Map<string, Documents>();
  readonly #details = new Map<string, Details>();
  #ordering: Pick<Certificates, 'ordering' | 'waiting'> | undefined;
  #shownCertificates: Certificates | undefined;
  #shownService: ServiceNumbers | undefined;

  take(changes: StateChanges): void {
    const each = <T>(items: Readonly<Record<string, T>> | undefined, set: (key: string, value: T) => void) => {
      for (const [key, value] of Object.entries(items ?? {})) set(key, value);
    };
    each(changes.services, (key, routes) => this.services.setRoutes(key, routes));
    each(changes.problems, (key, problems) => this.services.setProblems(key, problems));
    each(changes.numbers, (key, numbers) => this.services.setNumbers(key, numbers));
    each(changes.maintenance, (key, value) => this.#maintenance.set(key, value));
    each(changes.certificates, (key, value) => this.#certificates.set(key, value));
    each(changes.documents, (key, value) => set(this.#documents, key, value));
    each(changes.details, (key, value) => set(this.#details, key, value));
    if (changes.ordering?.['']) this.#ordering = changes.ordering[''];
    if (changes.ordering || changes.certificates) this.#shownCertificates = undefined;
    if (changes.documents || changes.details) this.#shownService = undefined;
  }

  /** By owner and service; the same list as long as nothing of it changes. */
  get maintenance(): readonly MaintainedService[] {
    return this.#maintenance.list;
  }

  /** `undefined`: they may not be read here, or are still to come. */
  get certificates(): Certificates | undefined {
    if (this.#ordering === undefined) return undefined;
    this.#shownCertificates ??= { ...this.#ordering, certificates: this.#certificates.list };
    return this.#shownCertificates;
  }

  /** In full. `undefined`: the stream was not opened for it, or it is still to come. */
  serviceOf(key: string): ServiceNumbers | undefined {
    const [documents, details] = [this.#documents.get(key), this.#details.get(key)];
    if (documents === undefined || details === undefined) return undefined;
    if (this.#shownService?.service !== key) this.#shownService = { service: key, ...documents, ...details };
    return this.#shownService;
  }

  /** What stands of other services is old: the stream sends nothing of them any more. */
  keepService(key: string | undefined): void {
    for (const items of [this.#documents, this.#details])
      for (const each of items.keys()) if (each !== key) items.delete(each);
  }
}

class SortedItems<T> {
  readonly #items = new Map<string, T>();
  #list: readonly T[] | undefined;

  set(key: string, value: T | null): void {
    set(this.#items, key, value);
    this.#list = undefined;
  }

  get list(): readonly T[] {
    this.#list ??= [...this.#items].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);
    return this.#list;
  }
}

function set<V>(map: Map<string, V>, key: string, value: V | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}
