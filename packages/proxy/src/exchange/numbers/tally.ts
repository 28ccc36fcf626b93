import { CountingTable } from './counting-table.ts';
import { bucketCount } from './latency-buckets.ts';

/**
 * What is counted of a row are cells: one for each latency bucket, one for each status class, one for retries. Nearly all of
 * them are never hit, so they are counted in a table, and merging is adding cell by cell.
 */
export const statusCells = bucketCount;
export const retriesCell = statusCells + 6;

/** At 0 what has no status from 100 to 599. */
export function cellOfStatus(status: number): number {
  const statusClass = Math.floor(status / 100);
  return statusCells + (statusClass >= 1 && statusClass <= 5 ? statusClass : 0);
}

/** Of one service at one endpoint, what does not fit into cells. */
export class TallyRow {
  sentBytes = 0;
  receivedBytes = 0;
  /** Responses of the proxy itself, and exchanges that ended badly. Made with the first. */
  reasons: Map<string, number> | undefined = undefined;

  countReason(reason: string, count = 1): void {
    this.reasons ??= new Map();
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + count);
  }

  add(other: TallyRow): void {
    this.sentBytes += other.sentBytes;
    this.receivedBytes += other.receivedBytes;
    if (other.reasons !== undefined) for (const [reason, count] of other.reasons) this.countReason(reason, count);
  }
}

/** Cells in ascending order, each with its count. `cells` and `counts` hold only during the call. */
export type RowVisitor = (id: number, row: TallyRow, cells: readonly number[], counts: readonly number[]) => void;

export const rowsPerPage = 256;
const cellsPerRow = 256;

/** Up to 256 rows: as much as is read or written in one turn of the event loop. */
export class TallyPage {
  readonly #rows: (TallyRow | undefined)[] = [];
  readonly #cells = new CountingTable();

  /** @param at from 0 to 255 */
  row(at: number): TallyRow {
    let row = this.#rows[at];
    if (row === undefined) {
      row = new TallyRow();
      this.#rows[at] = row;
    }
    return row;
  }

  count(at: number, cell: number, count = 1): void {
    this.#cells.add(at * cellsPerRow + cell, count);
  }

  add(at: number, row: TallyRow, cells: readonly number[], counts: readonly number[]): void {
    this.row(at).add(row);
    for (let index = 0; index < cells.length; index += 1)
      this.count(at, cells[index] as number, counts[index] as number);
  }

  /** @param firstId what the first row is called */
  forEach(visit: RowVisitor, firstId = 0): void {
    const keys = this.#cells.sortedKeys();
    const [cells, counts]: [number[], number[]] = [[], []];
    let next = 0;
    for (const [at, row] of this.#rows.entries()) {
      if (row === undefined) continue;
      cells.length = 0;
      counts.length = 0;
      const end = (at + 1) * cellsPerRow;
      for (; next < keys.length && (keys[next] as number) < end; next += 1) {
        const key = keys[next] as number;
        cells.push(key % cellsPerRow);
        counts.push(this.#cells.get(key));
      }
      visit(firstId + at, row, cells, counts);
    }
  }
}

/** Counts for many rows, numbered from 0. */
export class Tally {
  readonly #pages: (TallyPage | undefined)[] = [];

  add(id: number, row: TallyRow, cells: readonly number[], counts: readonly number[]): void {
    const number = Math.floor(id / rowsPerPage);
    let page = this.#pages[number];
    if (page === undefined) {
      page = new TallyPage();
      this.#pages[number] = page;
    }
    page.add(id % rowsPerPage, row, cells, counts);
  }

  forEach(visit: RowVisitor): void {
    for (const [number, page] of this.#pages.entries()) page?.forEach(visit, number * rowsPerPage);
  }

  /** As `forEach`, yielding after each page. A page holds what it counts when its turn comes. */
  *inPages(visit: RowVisitor): Generator<undefined, void> {
    for (const [number, page] of this.#pages.entries()) {
      page?.forEach(visit, number * rowsPerPage);
      yield;
    }
  }
}
