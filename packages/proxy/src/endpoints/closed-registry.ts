import { lookup } from 'node:dns/promises';
import { pause } from '@swarmgate/runtime';
import { type OwnPorts, ownPorts } from './own-ports.ts';

const resolveEveryMs = 5_000;

/**
 * Keeps endpoints away from the registry, by name and by every address that its name resolves to. Resolves at once and then
 * every 5 s; while DNS is away the last addresses stay.
 * @param address `CONSUL_HTTP_ADDR`: `host:port`, or an http or https URL
 */
export class ClosedRegistry {
  readonly #host: string;
  readonly #resolved: (addresses: readonly string[]) => void;

  constructor(address: string, own: OwnPorts = ownPorts) {
    const url = new URL(/^[a-z]+:\/\//i.test(address) ? address : `http://${address}`);
    const isExplicit = /:\d+$/.test(address.replace(/\/+$/, ''));
    this.#host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    // The URL leaves out its scheme's usual port.
    const port = url.port !== '' ? Number(url.port) : isExplicit ? (url.protocol === 'https:' ? 443 : 80) : 8500;
    this.#resolved = own.close(this.#host, port);
  }

  /** Until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    do {
      const found = await lookup(this.#host, { all: true }).catch(() => []);
      if (found.length > 0) this.#resolved(found.map(({ address }) => address));
    } while (await pause(resolveEveryMs, signal));
  }
}
