import type { Socket } from 'node:net';
import { type FaultOwner, guardPromise, plainAddress } from '@swarmgate/runtime';
import { type Admission, ConnectionLimits } from '../../server/connection-limits.ts';
import type { SlotRequest } from './messages.ts';

export interface LeasedConnectionsOptions {
  /** Of the whole proxy; 0: no limit. */
  readonly most: number;
  readonly mostPerAddress: number;
  /** Slots that are leased at once. */
  readonly batch: number;
  /** Workers of the proxy: while the control process does not respond, each admits its share. */
  readonly workers: number;
  readonly exempt: (address: string) => boolean;
  /** Requests slots of the control process. `undefined`: no response in time; what is granted later is given back. */
  readonly take: (requested: SlotRequest) => Promise<SlotGrant | undefined>;
  readonly give: (returned: SlotRequest) => void;
  /** Gets errors of requests made in advance, which no connection waits for. */
  readonly owner: FaultOwner;
}

export interface SlotGrant {
  /** `undefined`: the client's address has too many connections. */
  readonly slots: number | undefined;
}

/** Connection limits of a worker: its slots come from its control process, because the limits are the proxy's. */
export class LeasedConnections implements Admission {
  readonly #options: LeasedConnectionsOptions;
  /** Made once, see `ConnectionLimits`. */
  readonly #onClose = () => {
    this.#open -= 1;
    if (this.#options.most > 0) this.#putBack(1);
  };
  /** Those that were admitted without a slot. */
  readonly #alone: ConnectionLimits;
  readonly #share: number;
  #open = 0;
  #refused = 0;
  #refusedOfAddress = 0;
  /** Slots that this worker holds and no connection uses. */
  #free = 0;
  #requesting = false;

  constructor(options: LeasedConnectionsOptions) {
    this.#options = options;
    const { most, mostPerAddress, workers, exempt } = options;
    const shareOf = (limit: number) => (limit === 0 ? 0 : Math.max(1, Math.floor(limit / Math.max(1, workers))));
    this.#share = shareOf(most);
    this.#alone = new ConnectionLimits({ most: 0, mostPerAddress: shareOf(mostPerAddress), exempt });
  }

  get open(): number {
    return this.#open + this.#alone.open;
  }

  get refused(): number {
    return this.#refused + this.#alone.refused;
  }

  get refusedOfAddress(): number {
    return this.#refusedOfAddress + this.#alone.refusedOfAddress;
  }

  admit(socket: Socket): boolean | Promise<boolean> {
    const { most, mostPerAddress, exempt } = this.#options;
    const address = plainAddress(socket.remoteAddress ?? '');
    const counted = mostPerAddress > 0 && !exempt(address) ? address : undefined;
    if (counted !== undefined || (most > 0 && this.#free === 0)) return this.#request(socket, counted);
    if (most > 0) this.#free -= 1;
    this.#count(socket, undefined);
    this.#requestAhead();
    return true;
  }

  async #request(socket: Socket, address: string | undefined): Promise<boolean> {
    const { most, batch, take } = this.#options;
    // Taken at once, so that connections that come meanwhile request their own.
    const own = most === 0 || this.#free > 0;
    if (own && most > 0) this.#free -= 1;
    const count = own ? 0 : batch;
    const granted = await take({ count, address });
    const slots = granted?.slots;
    if (slots !== undefined && (own || slots > 0)) {
      if (!own) this.#free += slots - 1;
      this.#count(socket, address);
      return true;
    }
    if (own && most > 0) this.#putBack(1);
    if (granted === undefined) return this.#admitAlone(socket);
    this.#refused += 1;
    if (slots === undefined && address !== undefined) this.#refusedOfAddress += 1;
    return false;
  }

  /** A control process that does not respond stops no client: the limit is kept by the worker's share of it. */
  #admitAlone(socket: Socket): boolean {
    if (socket.destroyed) return false;
    if (this.#share === 0 || this.open < this.#share) return this.#alone.admit(socket);
    this.#refused += 1;
    return false;
  }

  #requestAhead(): void {
    const { most, batch, take, owner } = this.#options;
    if (most === 0 || batch === 1 || this.#requesting || this.#free > batch / 2) return;
    this.#requesting = true;
    const taken = take({ count: batch, address: undefined })
      .then((granted) => {
        this.#free += granted?.slots ?? 0;
      })
      .finally(() => {
        this.#requesting = false;
      });
    guardPromise(owner, taken);
  }

  #count(socket: Socket, address: string | undefined): void {
    this.#open += 1;
    if (address !== undefined) this.#onceClosed(socket, () => this.#options.give({ count: 0, address }));
    this.#onceClosed(socket, this.#onClose);
  }

  /** It may have closed while the control process was queried. */
  #onceClosed(socket: Socket, onClose: () => void): void {
    if (socket.destroyed) onClose();
    else socket.on('close', onClose);
  }

  #putBack(count: number): void {
    const { batch, give } = this.#options;
    this.#free += count;
    const kept = batch === 1 ? 0 : 2 * batch;
    if (this.#free <= kept) return;
    const returned = batch === 1 ? this.#free : batch;
    this.#free -= returned;
    give({ count: returned, address: undefined });
  }
}
