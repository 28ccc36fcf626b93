/**
 * Which line of the page shows which service. A line that is in sight before and after a change stays where it is; one that leaves
 * gives its place to one that comes, so that the page changes texts and makes no elements.
 */
export class LineSlots {
  #slots: ReadonlyMap<string, number> = new Map();
  #next = 0;

  /**
   * @param focused the service whose line has the focus: its place is given to no other, which Enter would open instead
   * @returns a slot for each key, in their order
   */
  assign(keys: readonly string[], focused: string | undefined): readonly number[] {
    const stays = new Set(keys);
    const free: number[] = [];
    for (const [key, slot] of this.#slots) if (!stays.has(key) && key !== focused) free.push(slot);
    free.reverse();
    const slots = keys.map((key) => this.#slots.get(key) ?? free.pop() ?? this.#next++);
    this.#slots = new Map(keys.map((key, at) => [key, slots[at] as number]));
    return slots;
  }
}
