import type { Socket } from 'node:net';
import { plainAddress } from '@swarmgate/runtime';

/** Decides which connections are served, and counts those that are. */
export interface Admission {
  readonly open: number;
  readonly refused: number;
  /** Of those, the ones whose address had too many. */
  readonly refusedOfAddress: number;
  /** `false`: the connection exceeds a limit. A worker returns a promise, because it queries the control process. */
  admit(socket: Socket): boolean | Promise<boolean>;
}

export interface ConnectionLimitsOptions {
  /** Connections at the same time; 0: no limit. */
  readonly most: number;
  /** For one address; 0: no limit. */
  readonly mostPerAddress: number;
  /** Proxies in front of this one carry many clients on one address. */
  readonly exempt: (address: string) => boolean;
}

/** Connections of one address that are open, and the listener that counts the end of each. */
interface AddressCount {
  open: number;
  readonly onClose: () => void;
}

/** Keeps one client, or all together, from taking every connection there is. */
export class ConnectionLimits implements Admission {
  readonly #options: ConnectionLimitsOptions;
  readonly #byAddress = new Map<string, AddressCount>();
  // Made once: with a closure of its own each connection outlives the collections of young objects, and grows old.
  readonly #onClose = () => {
    this.#open -= 1;
  };
  #open = 0;
  #refused = 0;
  #refusedOfAddress = 0;

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#open;
  }

  get refused(): number {
    return this.#refused;
  }

  get refusedOfAddress(): number {
    return this.#refusedOfAddress;
  }

  /** Counts the connection until it closes; `false`: it is one too many, and not counted. */
  admit(socket: Socket): boolean {
    const { most, mostPerAddress, exempt } = this.#options;
    const address = plainAddress(socket.remoteAddress ?? '');
    const counted = mostPerAddress > 0 && !exempt(address);
    const ofAddress = counted ? this.#byAddress.get(address) : undefined;
    const isFull = most > 0 && this.#open >= most;
    if (isFull || (ofAddress !== undefined && ofAddress.open >= mostPerAddress)) {
      this.#refused += 1;
      if (!isFull) this.#refusedOfAddress += 1;
      return false;
    }
    this.#open += 1;
    socket.on('close', this.#onClose);
    if (counted) this.#count(ofAddress ?? this.#countOf(address), socket);
    return true;
  }

  #count(ofAddress: AddressCount, socket: Socket): void {
    ofAddress.open += 1;
    socket.on('close', ofAddress.onClose);
  }

  #countOf(address: string): AddressCount {
    const count: AddressCount = {
      open: 0,
      onClose: () => {
        count.open -= 1;
        if (count.open === 0) this.#byAddress.delete(address);
      },
    };
    this.#byAddress.set(address, count);
    return count;
  }
}
