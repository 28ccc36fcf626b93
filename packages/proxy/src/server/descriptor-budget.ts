import type { Socket } from 'node:net';
import type { Admission } from './connection-limits.ts';

/** Counts the open connections of one process. */
export interface ConnectionCounter {
  opened(): void;
  closed(): void;
}

/** Connections that one process may have at the same time without running out of descriptors. */
export interface DescriptorBudget {
  readonly clients: number;
  readonly endpoints: number;
}

/** Kept for everything else: a quarter, from 64 to 2,048. Files, the registry, the admin port, resolvers and pipes fit in. */
const leastReserve = 64;
const mostReserve = 2_048;

/** @param limit of the process; `undefined`: none is known */
export function descriptorBudget(limit: number | undefined): DescriptorBudget {
  if (limit === undefined) return { clients: Number.POSITIVE_INFINITY, endpoints: Number.POSITIVE_INFINITY };
  const reserve = Math.min(mostReserve, Math.max(leastReserve, Math.floor(limit / 4)));
  // A connection of a client takes one of an endpoint along.
  const half = Math.max(1, Math.floor((limit - reserve) / 2));
  return { clients: half, endpoints: half };
}

/**
 * Admits no more connections than this process has descriptors for. Without it the kernel's refusal would hit whatever
 * opens next, be it a connection to an endpoint, the registry or a file; accepted ones are closed by the runtime unseen.
 */
export class AdmissionWithinDescriptors implements Admission {
  readonly #within: Admission;
  readonly #most: number;
  readonly #counter: ConnectionCounter | undefined;
  /** Made once, see `ConnectionLimits`. */
  readonly #onClose = () => {
    this.#open -= 1;
    this.#counter?.closed();
  };
  #open = 0;
  #refused = 0;

  /** @param counter counts what this process has open. Default: none */
  constructor(within: Admission, most: number, counter?: ConnectionCounter) {
    this.#within = within;
    this.#most = most;
    this.#counter = counter;
  }

  get open(): number {
    return this.#within.open;
  }

  /** All refused ones, those for lack of descriptors too. */
  get refused(): number {
    return this.#within.refused + this.#refused;
  }

  get refusedOfAddress(): number {
    return this.#within.refusedOfAddress;
  }

  get refusedForDescriptors(): number {
    return this.#refused;
  }

  /** Share of the connections that descriptors allow: 0 to 1. */
  get share(): number {
    return this.#open / this.#most;
  }

  admit(socket: Socket): boolean | Promise<boolean> {
    if (this.#open >= this.#most) {
      this.#refused += 1;
      return false;
    }
    this.#open += 1;
    this.#counter?.opened();
    socket.on('close', this.#onClose);
    return this.#within.admit(socket);
  }
}
