import type { SlotRequest } from './messages.ts';

export interface ConnectionSlotsOptions {
  /** Connections of the proxy at the same time; 0: no limit. */
  readonly most: number;
  /** For one address; 0: no limit. */
  readonly mostPerAddress: number;
}

interface WorkerSlots {
  count: number;
  readonly byAddress: Map<string, number>;
}

/** The connection slots of one proxy and the slots of each worker. The slots of a worker are returned when it ends. */
export class ConnectionSlots<Worker> {
  readonly #options: ConnectionSlotsOptions;
  readonly #byWorker = new Map<Worker, WorkerSlots>();
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  constructor(options: ConnectionSlotsOptions) {
    this.#options = options;
  }

  /** The number of granted slots; `undefined`: the client's address has too many connections. */
  take(worker: Worker, { count, address }: SlotRequest): number | undefined {
    const { most, mostPerAddress } = this.#options;
    const granted = most === 0 ? count : Math.min(count, most - this.#count);
    if (count > 0 && granted === 0) return 0;
    if (address !== undefined && (this.#byAddress.get(address) ?? 0) >= mostPerAddress) return undefined;
    const slots = this.#slotsOf(worker);
    slots.count += granted;
    this.#count += granted;
    if (address !== undefined) {
      add(slots.byAddress, address, 1);
      add(this.#byAddress, address, 1);
    }
    return granted;
  }

  give(worker: Worker, { count, address }: SlotRequest): void {
    const slots = this.#slotsOf(worker);
    const returned = Math.min(count, slots.count);
    slots.count -= returned;
    this.#count -= returned;
    if (address === undefined || !slots.byAddress.has(address)) return;
    add(slots.byAddress, address, -1);
    add(this.#byAddress, address, -1);
  }

  /** Returns all slots of a worker that ended. */
  forget(worker: Worker): void {
    const slots = this.#byWorker.get(worker);
    if (slots === undefined) return;
    this.#byWorker.delete(worker);
    this.#count -= slots.count;
    for (const [address, count] of slots.byAddress) add(this.#byAddress, address, -count);
  }

  get leased(): number {
    return this.#count;
  }

  #slotsOf(worker: Worker): WorkerSlots {
    let slots = this.#byWorker.get(worker);
    if (slots === undefined) {
      slots = { count: 0, byAddress: new Map() };
      this.#byWorker.set(worker, slots);
    }
    return slots;
  }
}

function add(counts: Map<string, number>, address: string, change: number): void {
  const count = (counts.get(address) ?? 0) + change;
  if (count > 0) counts.set(address, count);
  else counts.delete(address);
}

/**
 * Slots that a worker gets at once. Small enough that unused slots in other workers stay below 1 % of the
 * limit; with a small limit one at a time, so the limit is exact.
 */
export function batchOfSlots(most: number, workers: number): number {
  return Math.max(1, Math.min(64, Math.floor(most / (200 * Math.max(1, workers)))));
}
