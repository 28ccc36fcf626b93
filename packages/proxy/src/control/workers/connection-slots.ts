import type { SlotsAsked } from './messages.ts';

export interface ConnectionSlotsOptions {
  /** Connections of the proxy at the same time; 0: no limit. */
  readonly most: number;
  /** For one address; 0: no limit. */
  readonly mostPerAddress: number;
}

interface Held {
  count: number;
  readonly byAddress: Map<string, number>;
}

/** The connection slots of one proxy, and which worker holds how many. What a worker held comes back when it ends. */
export class ConnectionSlots<Worker> {
  readonly #options: ConnectionSlotsOptions;
  readonly #held = new Map<Worker, Held>();
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  constructor(options: ConnectionSlotsOptions) {
    this.#options = options;
  }

  /** How many of those asked for the worker gets; `undefined`: its address has too many. */
  take(worker: Worker, { count, address }: SlotsAsked): number | undefined {
    const { most, mostPerAddress } = this.#options;
    const granted = most === 0 ? count : Math.min(count, most - this.#count);
    if (count > 0 && granted === 0) return 0;
    if (address !== undefined && (this.#byAddress.get(address) ?? 0) >= mostPerAddress) return undefined;
    const held = this.#heldBy(worker);
    held.count += granted;
    this.#count += granted;
    if (address !== undefined) {
      add(held.byAddress, address, 1);
      add(this.#byAddress, address, 1);
    }
    return granted;
  }

  give(worker: Worker, { count, address }: SlotsAsked): void {
    const held = this.#heldBy(worker);
    const returned = Math.min(count, held.count);
    held.count -= returned;
    this.#count -= returned;
    if (address === undefined || !held.byAddress.has(address)) return;
    add(held.byAddress, address, -1);
    add(this.#byAddress, address, -1);
  }

  /** The worker is gone, and its connections with it. */
  forget(worker: Worker): void {
    const held = this.#held.get(worker);
    if (held === undefined) return;
    this.#held.delete(worker);
    this.#count -= held.count;
    for (const [address, count] of held.byAddress) add(this.#byAddress, address, -count);
  }

  get leased(): number {
    return this.#count;
  }

  #heldBy(worker: Worker): Held {
    let held = this.#held.get(worker);
    if (held === undefined) {
      held = { count: 0, byAddress: new Map() };
      this.#held.set(worker, held);
    }
    return held;
  }
}

function add(counts: Map<string, number>, address: string, change: number): void {
  const count = (counts.get(address) ?? 0) + change;
  if (count > 0) counts.set(address, count);
  else counts.delete(address);
}

/**
 * Slots that go to a worker at once. Small enough that what lies unused in the other workers is under a hundredth of the
 * limit; of a small limit one by one, and so exactly.
 */
export function batchOfSlots(most: number, workers: number): number {
  return Math.max(1, Math.min(64, Math.floor(most / (200 * Math.max(1, workers)))));
}
