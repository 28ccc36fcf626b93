/** Whether `/metrics` shows the durations of a service apart. `undefined`: not decided yet. */
export type IsApart = (service: string) => boolean | undefined;

/**
 * The services whose request durations `/metrics` shows apart: the first `METRICS_SERVICES` of them with requests. Decided
 * once for all workers of a proxy, because a series is the sum of what they count; and a service stays what it is, because a
 * counter that moved to another series would go back.
 */
export class ServicesApart {
  readonly #most: number;
  readonly #names = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes the service in where there is room. */
  admit(service: string): boolean {
    if (this.#names.has(service)) return true;
    if (this.#names.size >= this.#most) return false;
    this.#names.add(service);
    return true;
  }

  /** Makes room of services that are gone. */
  forget(isServed: (service: string) => boolean): void {
    for (const service of this.#names) if (!isServed(service)) this.#names.delete(service);
  }
}

/** The worker's view: it queries its control process once per service. */
export class RequestedServices {
  readonly #query: (service: string) => void;
  readonly #known = new Map<string, boolean | undefined>();

  constructor(query: (service: string) => void) {
    this.#query = query;
  }

  isApart(service: string): boolean | undefined {
    if (!this.#known.has(service)) {
      this.#known.set(service, undefined);
      this.#query(service);
    }
    return this.#known.get(service);
  }

  decided(service: string, isApart: boolean): void {
    this.#known.set(service, isApart);
  }

  forget(isServed: (service: string) => boolean): void {
    for (const service of this.#known.keys()) if (!isServed(service)) this.#known.delete(service);
  }
}
