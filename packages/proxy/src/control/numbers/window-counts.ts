import { bucketCount, quantilesOf } from '../../exchange/numbers/latency-buckets.ts';
import { retriesCell, statusCells, TallyRow } from '../../exchange/numbers/tally.ts';

/** What passed in one span of time: of a service, or of one endpoint of it. `docs/openapi.yaml` describes it. */
export interface WindowNumbers {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly status: Readonly<Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx', number>>;
  /** Share of 5xx, in percent; 0 without requests. */
  readonly errorsPercent: number;
  /** Null without requests that ended. */
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Tries on another endpoint. */
  readonly retries: number;
  /** Responses the proxy made itself, and exchanges that ended badly, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** Counts of one service or endpoint in one window, of one replica or of several: they merge by addition. */
export class WindowCounts {
  readonly row = new TallyRow();
  readonly #cells = new Map<number, number>();

  add(row: TallyRow, cells: readonly number[], counts: readonly number[]): void {
    this.row.add(row);
    for (let at = 0; at < cells.length; at += 1) {
      const cell = cells[at] as number;
      this.#cells.set(cell, (this.#cells.get(cell) ?? 0) + (counts[at] as number));
    }
  }

  merge(other: WindowCounts): void {
    this.row.add(other.row);
    for (const [cell, count] of other.#cells) this.#cells.set(cell, (this.#cells.get(cell) ?? 0) + count);
  }

  /** Cells in ascending order, each with its count: see `cellOfStatus`. */
  pairs(): readonly (readonly [cell: number, count: number])[] {
    return [...this.#cells].sort(([a], [b]) => a - b);
  }

  get requests(): number {
    let sum = 0;
    for (let cell = statusCells; cell < retriesCell; cell += 1) sum += this.#cells.get(cell) ?? 0;
    return sum;
  }

  numbers(requestsPerSecond: number): WindowNumbers {
    const { row, requests } = this;
    const ofClass = (statusClass: number) => this.#cells.get(statusCells + statusClass) ?? 0;
    const latencies = this.pairs().filter(([cell]) => cell < bucketCount);
    const [p50, p90, p99] = quantilesOf(
      latencies.map(([bucket]) => bucket),
      latencies.map(([, count]) => count),
      [0.5, 0.9, 0.99],
    );
    return {
      requests,
      requestsPerSecond: rounded(requestsPerSecond),
      status: { '1xx': ofClass(1), '2xx': ofClass(2), '3xx': ofClass(3), '4xx': ofClass(4), '5xx': ofClass(5) },
      errorsPercent: requests === 0 ? 0 : rounded((100 * ofClass(5)) / requests),
      p50Ms: milliseconds(p50),
      p90Ms: milliseconds(p90),
      p99Ms: milliseconds(p99),
      sentBytes: row.sentBytes,
      receivedBytes: row.receivedBytes,
      retries: this.#cells.get(retriesCell) ?? 0,
      reasons: Object.fromEntries(row.reasons ?? []),
    };
  }
}

function milliseconds(latency: number | undefined): number | null {
  return latency === undefined ? null : rounded(latency);
}

/** To three decimals. */
function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
