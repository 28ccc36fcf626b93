import type { RequestTarget } from '../model/request-target.ts';
import type { RequestView } from '../model/request-view.ts';

/** What routing sees of a request: its view, in normal form. A class, because an object with functions made three of them for each request. */
export class ViewedTarget implements RequestTarget {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly port: number;
  readonly secure: boolean;
  readonly query: string;
  readonly clientAddress: string;
  readonly #view: RequestView;

  constructor(
    view: RequestView,
    { host, path, clientAddress }: { readonly host: string; readonly path: string; readonly clientAddress: string },
    port: number,
    secure: boolean,
  ) {
    this.#view = view;
    this.method = view.method;
    this.host = host;
    this.path = path;
    this.port = port;
    this.secure = secure;
    this.query = view.query;
    this.clientAddress = clientAddress;
  }

  header(name: string): string | undefined {
    return this.#view.header(name);
  }

  lines(name: string): readonly string[] {
    const flat = this.#view.flat();
    const values: string[] = [];
    for (let at = 0; at < flat.length; at += 2) if (flat[at]?.toLowerCase() === name) values.push(flat[at + 1] ?? '');
    return values;
  }
}
