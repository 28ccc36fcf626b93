import { randomBytes } from 'node:crypto';

/** What the stream of the console's state is made of, in the order in which a page gets it. */
export const itemKinds = [
  'status',
  'keys',
  'totals',
  'documents',
  'details',
  'maintenance',
  'openMaintenance',
  'ordering',
  'certificates',
  'services',
  'problems',
  'numbers',
] as const;

export type ItemKind = (typeof itemKinds)[number];

/** One value for each kind. */
export function ofEachKind<T>(make: () => T): Readonly<Record<ItemKind, T>> {
  return Object.fromEntries(itemKinds.map((kind) => [kind, make()])) as Record<ItemKind, T>;
}

export interface ItemName {
  readonly kind: ItemKind;
  /** `<owner>/<service>`, or what a certificate is known by; empty for kinds that have one item only. */
  readonly name: string;
}

interface Item {
  /** As JSON; `undefined`: it is gone. */
  text: string | undefined;
  /** Of the last change to it. */
  version: number;
}

/** Items that are gone and still named to a client that resumes; the oldest are dropped, and such a client reads all again. */
const mostGone = 5_000;

/**
 * The present state as items, each with the version of its last change. A client is at a version and gets what is newer:
 * the state itself is the buffer of every client, so a slow one costs no memory and skips what was replaced meanwhile.
 */
export class ItemVersions {
  /** Versions of different epochs cannot be compared: a new one begins with the process, and when the state was forgotten. */
  readonly epoch: string = randomBytes(6).toString('hex');
  readonly #items = ofEachKind(() => new Map<string, Item>());
  readonly #gone: { readonly item: ItemName; readonly version: number }[] = [];
  readonly #mostGone: number;
  #version = 0;
  /** A client that is at less cannot be notified of what it has to drop. */
  #oldest = 0;

  constructor(most = mostGone) {
    this.#mostGone = most;
  }

  get version(): number {
    return this.#version;
  }

  /** @param text as JSON; one that equals the last changes nothing */
  put(kind: ItemKind, name: string, text: string): void {
    const item = this.#items[kind].get(name);
    if (item?.text === text) return;
    this.#version += 1;
    if (item === undefined) this.#items[kind].set(name, { text, version: this.#version });
    else {
      item.text = text;
      item.version = this.#version;
    }
  }

  /** Items of this kind that are not among the names are gone. */
  keepOnly(kind: ItemKind, names: { has(name: string): boolean }): void {
    for (const [name, item] of this.#items[kind]) {
      if (item.text === undefined || names.has(name)) continue;
      this.#version += 1;
      item.text = undefined;
      item.version = this.#version;
      this.#gone.push({ item: { kind, name }, version: this.#version });
    }
    while (this.#gone.length > this.#mostGone) this.#drop();
  }

  /** What changed after the version, kind by kind. `undefined`: that is not known any more, all has to be read again. */
  since(version: number, kinds: ReadonlySet<ItemKind>): readonly ItemName[] | undefined {
    if (version > 0 && version < this.#oldest) return undefined;
    const found: ItemName[] = [];
    for (const kind of itemKinds) {
      if (!kinds.has(kind)) continue;
      // A client that has nothing need not be notified of what is gone.
      for (const [name, item] of this.#items[kind])
        if (item.version > version && (version > 0 || item.text !== undefined)) found.push({ kind, name });
    }
    return found;
  }

  /** As it is now; `undefined`: it is gone. */
  textOf({ kind, name }: ItemName): string | undefined {
    return this.#items[kind].get(name)?.text;
  }

  #drop(): void {
    const oldest = this.#gone.shift();
    if (oldest === undefined) return;
    const { kind, name } = oldest.item;
    const item = this.#items[kind].get(name);
    // It may have come back since.
    if (item?.version === oldest.version) this.#items[kind].delete(name);
    this.#oldest = oldest.version;
  }
}
