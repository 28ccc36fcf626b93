import { Slices } from '../slices.ts';

const [quote, backslash, open, close] = [0x22, 0x5c, 0x7b, 0x7d];

/**
 * The objects of a JSON array, read one by one in slices of a millisecond: `JSON.parse` takes 50 ms for the list of 10,000
 * services, and all requests of the process would wait for it.
 * @param read makes what is kept of each
 * @throws SyntaxError for anything but an array of objects
 */
export async function readItems<T>(json: Buffer, read: (item: never) => T, signal?: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  const slices = new Slices();
  for (const text of objectsIn(json)) {
    items.push(read(JSON.parse(text) as never));
    if (slices.isOver()) await slices.next(signal);
  }
  return items;
}

/** The text of each object of the array. What is inside of them is for `JSON.parse` to check. */
function* objectsIn(json: Buffer): Generator<string> {
  let at = skipSpace(json, 0);
  if (json[at] !== 0x5b) throw new SyntaxError('the list is no array');
  at = skipSpace(json, at + 1);
  if (json[at] === 0x5d) return mustEnd(json, at + 1);
  for (;;) {
    const to = endOfObject(json, at);
    yield json.toString('utf8', at, to);
    at = skipSpace(json, to);
    if (json[at] === 0x5d) return mustEnd(json, at + 1);
    if (json[at] !== 0x2c) throw new SyntaxError(`the list breaks off at byte ${at}`);
    at = skipSpace(json, at + 1);
  }
}

/** Behind the closing brace of the object that begins at `from`. */
function endOfObject(json: Buffer, from: number): number {
  if (json[from] !== open) throw new SyntaxError(`no object at byte ${from} of the list`);
  let depth = 0;
  let isInString = false;
  for (let at = from; at < json.length; at++) {
    const byte = json[at];
    if (isInString) {
      if (byte === backslash) at++;
      else if (byte === quote) isInString = false;
    } else if (byte === quote) isInString = true;
    else if (byte === open) depth++;
    else if (byte === close && --depth === 0) return at + 1;
  }
  throw new SyntaxError('the list ends within an object');
}

function mustEnd(json: Buffer, from: number): void {
  if (skipSpace(json, from) !== json.length) throw new SyntaxError('bytes follow the list');
}

function skipSpace(json: Buffer, from: number): number {
  let at = from;
  while (json[at] === 0x20 || json[at] === 0x0a || json[at] === 0x0d || json[at] === 0x09) at++;
  return at;
}
