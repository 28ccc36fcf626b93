import type { CircuitFigures } from '@swarmgate/labels';

const windowMs = 10_000;
const slices = 10;
/** Latencies of one slice that are kept; more are left out evenly. */
const mostLatencies = 1_000;

interface Slice {
  readonly number: number;
  total: number;
  networkErrors: number;
  readonly statuses: Map<number, number>;
  readonly latenciesMs: number[];
}

/** What the responses of the last 10 s were, in slices of one second. */
export class RecentFigures {
  readonly #nowMs: () => number;
  #slices: Slice[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  add(status: number, isNetworkError: boolean, latencyMs: number): void {
    const slice = this.#current();
    slice.total += 1;
    if (isNetworkError) slice.networkErrors += 1;
    slice.statuses.set(status, (slice.statuses.get(status) ?? 0) + 1);
    if (slice.latenciesMs.length < mostLatencies) slice.latenciesMs.push(latencyMs);
    else slice.latenciesMs[slice.total % mostLatencies] = latencyMs;
  }

  merged(): CircuitFigures {
    this.#current();
    const all = this.#slices;
    const latencies = all.flatMap(({ latenciesMs }) => latenciesMs).sort((one, other) => one - other);
    const count = (from: number, to: number) =>
      all.reduce((sum, { statuses }) => {
        for (const [status, times] of statuses) if (status >= from && status < to) sum += times;
        return sum;
      }, 0);
    return {
      total: all.reduce((sum, { total }) => sum + total, 0),
      networkErrors: all.reduce((sum, { networkErrors }) => sum + networkErrors, 0),
      count,
      latencyMs: (quantile) =>
        latencies[Math.min(latencies.length - 1, Math.floor((quantile / 100) * latencies.length))] ?? 0,
    };
  }

  forget(): void {
    this.#slices = [];
  }

  #current(): Slice {
    const number = Math.floor((this.#nowMs() * slices) / windowMs);
    if (this.#slices.length > 0 && (this.#slices[0] as Slice).number <= number - slices)
      this.#slices = this.#slices.filter((slice) => slice.number > number - slices);
    let last = this.#slices.at(-1);
    if (last?.number !== number) {
      last = { number, total: 0, networkErrors: 0, statuses: new Map(), latenciesMs: [] };
      this.#slices.push(last);
    }
    return last;
  }
}
