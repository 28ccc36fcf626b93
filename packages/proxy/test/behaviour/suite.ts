import { type RigOptions, ServerRig } from '../behaviour-rig.ts';
import type { MakeServer } from '../server-rig.ts';

/** One router's run of the suite: a fresh rig for every test. */
export class Suite {
  readonly #makeServer: MakeServer;
  #rig: ServerRig | undefined;

  constructor(makeServer: MakeServer) {
    this.#makeServer = makeServer;
  }

  async start(options: RigOptions = {}): Promise<void> {
    this.#rig = await ServerRig.start(this.#makeServer, options);
  }

  get rig(): ServerRig {
    if (this.#rig === undefined) throw new Error('start first');
    return this.#rig;
  }
}

/** A GET on a connection of its own. @param more header lines, each with its line end */
export function get(path: string, more = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n${more}\r\n`;
}
