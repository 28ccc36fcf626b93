import { isSendableField } from './field-syntax.ts';

/**
 * The one name under which services fold spellings together that pass headers on as CGI does (RFC 3875, section 4.1.18):
 * lower case, everything but letters and digits as a hyphen. `X-User`, `X_User` and `x.user` are `x-user`.
 */
export function foldedName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}

/**
 * Headers in the order and spelling they came in, as a flat name, value, name, value list: the form node:http gives
 * (`rawHeaders`) and takes (`writeHead`). Names compare without case (RFC 9110, section 5.1).
 */
export class HeaderList {
  readonly #flat: string[];
  #isSound: boolean;

  /** @param isSound every field has passed a parser, or is made by the proxy: see `isSound` */
  constructor(flat: string[] = [], isSound = false) {
    this.#flat = flat;
    this.#isSound = isSound;
  }

  get flat(): readonly string[] {
    return this.#flat;
  }

  /** No field can break a head: what is added or set is looked at then. `false`: not known. */
  get isSound(): boolean {
    return this.#isSound;
  }

  /** The first value. */
  get(name: string): string | undefined {
    const at = this.#find(name, 0);
    return at === -1 ? undefined : this.#flat[at + 1];
  }

  all(name: string): string[] {
    const values: string[] = [];
    for (let at = this.#find(name, 0); at !== -1; at = this.#find(name, at + 2))
      values.push(this.#flat[at + 1] as string);
    return values;
  }

  has(name: string): boolean {
    return this.#find(name, 0) !== -1;
  }

  /** @param isSendable of a field that is the same for every request: looked at once, by `isSendableField` */
  add(name: string, value: string, isSendable?: boolean): void {
    if (this.#isSound && !(isSendable ?? isSendableField(name, value))) this.#isSound = false;
    this.#flat.push(name, value);
  }

  /**
   * Replaces the first of that name in its place and drops the others; appends if there is none.
   * @param isSendable as for `add`
   */
  set(name: string, value: string, isSendable?: boolean): void {
    const at = this.#find(name, 0);
    if (at === -1) {
      this.add(name, value, isSendable);
      return;
    }
    if (this.#flat[at + 1] !== value) {
      if (this.#isSound && !(isSendable ?? isSendableField(name, value))) this.#isSound = false;
      this.#flat[at + 1] = value;
    }
    this.#deleteFrom(name, at + 2);
  }

  delete(name: string): void {
    this.#deleteFrom(name, 0);
  }

  /** Gives each field the value that `replace` returns, or drops it where that is `undefined`. */
  change(replace: (name: string, value: string) => string | undefined): void {
    for (let at = this.#flat.length - 2; at >= 0; at -= 2) {
      const name = this.#flat[at] as string;
      const value = this.#flat[at + 1] as string;
      const changed = replace(name, value);
      if (changed === undefined) this.#flat.splice(at, 2);
      else if (changed !== value) {
        if (this.#isSound && !isSendableField(name, changed)) this.#isSound = false;
        this.#flat[at + 1] = changed;
      }
    }
  }

  /** As `set`, and drops every other spelling that services fold together with the name. */
  setInEverySpelling(name: string, value: string, isSendable?: boolean): void {
    this.#deleteFolded(name, name.toLowerCase());
    this.set(name, value, isSendable);
  }

  deleteInEverySpelling(name: string): void {
    this.#deleteFolded(name, '');
  }

  /** @param kept lower case */
  #deleteFolded(name: string, kept: string): void {
    let folded: string | undefined;
    for (let at = this.#flat.length - 2; at >= 0; at -= 2) {
      const here = this.#flat[at] as string;
      // Folding keeps the length, and most names are ruled out by it.
      if (here.length !== name.length) continue;
      folded ??= foldedName(name);
      if (foldedName(here) !== folded) continue;
      if (here.toLowerCase() !== kept) this.#flat.splice(at, 2);
    }
  }

  #deleteFrom(name: string, from: number): void {
    for (let at = this.#find(name, from); at !== -1; at = this.#find(name, at)) this.#flat.splice(at, 2);
  }

  #find(name: string, from: number): number {
    const lower = name.toLowerCase();
    for (let at = from; at < this.#flat.length; at += 2) {
      const here = this.#flat[at] as string;
      if (here.length === lower.length && here.toLowerCase() === lower) return at;
    }
    return -1;
  }
}
