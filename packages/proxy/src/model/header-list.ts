/**
 * Headers in the order and spelling they came in, as a flat name, value, name, value list: the form node:http gives
 * (`rawHeaders`) and takes (`writeHead`). Names compare without case (RFC 9110, section 5.1).
 */
export class HeaderList {
  readonly flat: string[];

  constructor(flat: string[] = []) {
    this.flat = flat;
  }

  /** The first value. */
  get(name: string): string | undefined {
    const at = this.#find(name, 0);
    return at === -1 ? undefined : this.flat[at + 1];
  }

  all(name: string): string[] {
    const values: string[] = [];
    for (let at = this.#find(name, 0); at !== -1; at = this.#find(name, at + 2))
      values.push(this.flat[at + 1] as string);
    return values;
  }

  has(name: string): boolean {
    return this.#find(name, 0) !== -1;
  }

  add(name: string, value: string): void {
    this.flat.push(name, value);
  }

  /** Replaces the first of that name in its place and drops the others; appends if there is none. */
  set(name: string, value: string): void {
    const at = this.#find(name, 0);
    if (at === -1) {
      this.add(name, value);
      return;
    }
    this.flat[at + 1] = value;
    this.#deleteFrom(name, at + 2);
  }

  delete(name: string): void {
    this.#deleteFrom(name, 0);
  }

  #deleteFrom(name: string, from: number): void {
    for (let at = this.#find(name, from); at !== -1; at = this.#find(name, at)) this.flat.splice(at, 2);
  }

  #find(name: string, from: number): number {
    const wanted = name.toLowerCase();
    for (let at = from; at < this.flat.length; at += 2) {
      const here = this.flat[at] as string;
      if (here.length === wanted.length && here.toLowerCase() === wanted) return at;
    }
    return -1;
  }
}
