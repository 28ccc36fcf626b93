import { rowComparison, type ServiceRow, type Sorting, sortRows } from './service-rows.ts';

/**
 * Rows in the order of one column, kept while rows change: those that are other ones than before are sorted and merged into the rest,
 * which costs a tenth of sorting ten thousand again.
 */
export class RowOrder {
  #sorting: Sorting | undefined;
  #sorted: readonly ServiceRow[] = [];

  /** @returns the same as `sortRows` */
  sort(rows: readonly ServiceRow[], sorting: Sorting): readonly ServiceRow[] {
    const before = new Set(this.#sorting === sorting ? this.#sorted : []);
    const changed = rows.filter((row) => !before.has(row));
    if (changed.length > rows.length / 4) this.#sorted = sortRows(rows, sorting);
    else {
      const now = new Set(rows);
      const kept = this.#sorted.filter((row) => now.has(row));
      this.#sorted = merge(kept, sortRows(changed, sorting), sorting);
    }
    this.#sorting = sorting;
    return this.#sorted;
  }
}

function merge(kept: readonly ServiceRow[], changed: readonly ServiceRow[], sorting: Sorting): readonly ServiceRow[] {
  const compareRows = rowComparison(sorting);
  const merged: ServiceRow[] = [];
  let at = 0;
  for (const row of changed) {
    while (at < kept.length && compareRows(kept[at] as ServiceRow, row) <= 0) merged.push(kept[at++] as ServiceRow);
    merged.push(row);
  }
  for (; at < kept.length; at += 1) merged.push(kept[at] as ServiceRow);
  return merged;
}
