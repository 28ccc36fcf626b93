/** What happened beneath a prefix between two waits: everything from behind `after` up to `index`. */
export interface Gap {
  readonly after: number;
  readonly index: number;
}

/**
 * A wait that was really held wakes for the first change there is. One that answered faster than this may have begun
 * behind several changes, and shows only the index of the last.
 */
const heldForSureMs = 100;

export function gapOf(ring: Gap & { readonly heldMs: number }): Gap | undefined {
  return ring.heldMs < heldForSureMs && ring.index - ring.after > 1
    ? { after: ring.after, index: ring.index }
    : undefined;
}

/**
 * Whether a hand edit may hide in a gap, behind a transaction that the journal explains: whether the store counted
 * something there that is no transaction of the journal. Mostly that is a heartbeat, so the answer is a suspicion.
 */
export function mayHide(gap: Gap, explained: ReadonlySet<number>): boolean {
  for (let index = gap.after + 1; index < gap.index; index += 1) if (!explained.has(index)) return true;
  return false;
}
