import type { Http2Stream } from './stream.ts';

const fewestSlots = 8;

/**
 * The open streams of a connection by their identifiers: open addressing with linear probing.
 *
 * Not a `Map`: V8 links the table that a Map outgrows to the one that replaces it, and a Map whose entries come and go is
 * replaced every few of them. Once one such table has grown old, all that follow it, with the streams that were open in
 * them and all that those refer to, survive until the next full collection: each is copied twice before.
 */
export class StreamTable {
  size = 0;
  #slots: (Http2Stream | undefined)[] = new Array(fewestSlots).fill(undefined);

  get(id: number): Http2Stream | undefined {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = (id >>> 1) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at];
      if (stream === undefined || stream.id === id) return stream;
    }
  }

  /** The stream must not be in it yet. */
  add(stream: Http2Stream): void {
    if (++this.size * 2 > this.#slots.length) this.#grow();
    put(this.#slots, stream);
  }

  delete(id: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (id >>> 1) & mask;
    for (; ; at = (at + 1) & mask) {
      const stream = slots[at];
      if (stream === undefined) return;
      if (stream.id === id) break;
    }
    this.size--;
    // Streams behind it move up where the gap would end the search for them.
    let gap = at;
    for (let next = (gap + 1) & mask; ; next = (next + 1) & mask) {
      const stream = slots[next];
      if (stream === undefined) break;
      const required = (stream.id >>> 1) & mask;
      if (((next - required) & mask) < ((next - gap) & mask)) continue;
      slots[gap] = stream;
      gap = next;
    }
    slots[gap] = undefined;
  }

  /** Those that are open now, oldest first. */
  list(): Http2Stream[] {
    const open: Http2Stream[] = [];
    for (const stream of this.#slots) if (stream !== undefined) open.push(stream);
    return open.sort((one, other) => one.id - other.id);
  }

  #grow(): void {
    const grown: (Http2Stream | undefined)[] = new Array(this.#slots.length * 2).fill(undefined);
    for (const stream of this.#slots) if (stream !== undefined) put(grown, stream);
    this.#slots = grown;
  }
}

function put(slots: (Http2Stream | undefined)[], stream: Http2Stream): void {
  const mask = slots.length - 1;
  let at = (stream.id >>> 1) & mask;
  while (slots[at] !== undefined) at = (at + 1) & mask;
  slots[at] = stream;
}
