import type { ServiceKey } from '@swarmgate/registry';
import { createSignal, pause, type Running, type Tasks } from '@swarmgate/runtime';
import { type ItemKind, ItemVersions } from '../live/item-versions.ts';
import type { StateSource } from '../live/state-source.ts';
import type { TakeSteps } from '../steps.ts';
import type { AdminParts } from './admin-parts.ts';
import { maintainedKeys, maintainedServices, withoutAddresses } from './maintenance-view.ts';
import { certificatesInSteps } from './ordering-routes.ts';
import { statusOf } from './read-routes.ts';
import { documentsOf } from './service-detail.ts';
import {
  type CountedRequests,
  certificateItems,
  countRequests,
  detailItem,
  keyItem,
  maintenanceItems,
  numberItems,
  problemItems,
  type StateItem,
  serviceItems,
  totalItem,
} from './state-items.ts';

export type FeedParts = Pick<AdminParts, 'server' | 'follower' | 'problems' | 'totals' | 'long'> &
  Parameters<typeof statusOf>[0];

export interface StateFeedOptions {
  readonly parts: FeedParts;
  /** Whose requests the numbers count. */
  readonly scope: 'replica' | 'all';
  readonly tasks: Pick<Tasks, 'run'>;
  /** Least time between two looks, in milliseconds. Default 1,000. */
  readonly lookEveryMs?: number;
  /** How long the state is kept for clients that come back, in milliseconds. Default 60,000. */
  readonly keepMs?: number;
}

/** A look takes at most this share of the time: with many services looks become rarer. */
const shareOfTime = 1 / 8;
/** Health of endpoints, counted at least so often where the table is the same, in milliseconds. */
const servicesEveryMs = 2_000;
const settleMs = 100;

/**
 * The present state of the proxy as items with versions, for all streams of `GET /v1/events` together. It looks only while
 * there is a stream, and again at once where the table has changed.
 */
export class StateFeed implements StateSource, Running {
  readonly #options: StateFeedOptions;
  readonly #ending = new AbortController();
  readonly #look = createSignal();
  readonly #onChange = new Set<() => void>();
  /** How many streams have requested the details of a service. */
  readonly #watched = new Map<ServiceKey, number>();
  #following: Promise<void> | undefined;
  #items = new ItemVersions();
  #isWhole = false;
  #seen: { readonly table: unknown; readonly atMs: number } | undefined;
  #detailsAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: StateFeedOptions) {
    this.#options = options;
  }

  get items(): ItemVersions {
    return this.#items;
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  get isStopped(): boolean {
    return this.#ending.signal.aborted;
  }

  subscribe(onChange: () => void, service?: string): () => void {
    // What was there when the last stream ended is not what is there now.
    if (this.#onChange.size === 0) this.#isWhole = false;
    this.#onChange.add(onChange);
    if (service !== undefined) this.#watch(service as ServiceKey, 1);
    this.#following ??= this.#options.tasks.run('state-feed', this.#ending.signal, () => this.#follow());
    this.#look.notify();
    return () => {
      if (this.#onChange.delete(onChange) && service !== undefined) this.#watch(service as ServiceKey, -1);
    };
  }

  #watch(service: ServiceKey, streams: 1 | -1): void {
    const now = (this.#watched.get(service) ?? 0) + streams;
    if (now > 0) this.#watched.set(service, now);
    else this.#watched.delete(service);
    this.#detailsAtMs = Number.NEGATIVE_INFINITY;
  }

  /** The table has changed. */
  look(): void {
    if (this.#onChange.size > 0) this.#look.notify();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#following;
    this.#announce();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ending;
    const { lookEveryMs = 1_000, keepMs = 60_000 } = this.#options;
    while (!signal.aborted) {
      if (this.#onChange.size === 0) {
        await this.#look.wait(keepMs, signal);
        if (this.#onChange.size === 0) await this.#forget();
        continue;
      }
      const startedMs = performance.now();
      await this.#lookAtAll(signal);
      this.#isWhole = true;
      this.#announce();
      const tookMs = performance.now() - startedMs;
      // Changes that come together are looked at together.
      if (!(await pause(Math.max(settleMs, tookMs / shareOfTime - tookMs), signal))) return;
      await this.#look.wait(lookEveryMs - settleMs, signal);
    }
  }

  /** Holds nothing until the next stream. */
  async #forget(): Promise<void> {
    this.#items = new ItemVersions();
    this.#isWhole = false;
    this.#seen = undefined;
    await this.#look.wait(Number.POSITIVE_INFINITY, this.#ending.signal);
  }

  async #lookAtAll(signal: AbortSignal): Promise<void> {
    const { parts, scope } = this.#options;
    this.#items.put('status', '', JSON.stringify(await statusOf(parts)));
    this.#items.put('keys', '', JSON.stringify(keyItem(parts)));
    this.#announce();
    const { served } = parts.follower;
    const maintained = await parts.long.inSlices(maintainedKeys(served), signal);
    const services = () => maintainedServices(served, maintained, Date.now());
    await this.#take('maintenance', maintenanceItems(services()), signal);
    await this.#take('openMaintenance', maintenanceItems(services().map(withoutAddresses)), signal);
    const certificates = certificatesInSteps(parts);
    const { ordering, waiting } = certificates;
    this.#items.put('ordering', '', JSON.stringify({ ordering, waiting }));
    await this.#take('certificates', certificateItems(certificates), signal);
    const table = parts.server.table();
    const nowMs = performance.now();
    const isOtherTable = this.#seen?.table !== table;
    if (isOtherTable || nowMs - (this.#seen?.atMs ?? 0) >= servicesEveryMs) {
      await this.#take('services', serviceItems(parts), signal);
      this.#seen = { table, atMs: nowMs };
    }
    const take: TakeSteps = (steps) => parts.long.inSlices(steps, signal);
    const counted = await countRequests(parts, scope, take);
    this.#items.put('totals', '', JSON.stringify(await totalItem(counted, take)));
    if (isOtherTable || nowMs - this.#detailsAtMs >= servicesEveryMs) {
      this.#detailsAtMs = nowMs;
      await this.#lookAtDetails(counted, take);
    }
    await this.#take('problems', problemItems(await take(parts.problems())), signal);
    await this.#take('numbers', numberItems(counted), signal);
  }

  /** Of the services that a page shows by themselves. */
  async #lookAtDetails(counted: CountedRequests, take: TakeSteps): Promise<void> {
    const { parts } = this.#options;
    const served = new Set<ServiceKey>();
    for (const key of this.#watched.keys()) {
      const found = parts.follower.served.services.get(key);
      if (found === undefined) continue;
      served.add(key);
      this.#items.put('documents', key, JSON.stringify(documentsOf(found)));
      this.#items.put('details', key, JSON.stringify(await detailItem(parts, key, counted, take)));
    }
    this.#items.keepOnly('documents', served);
    this.#items.keepOnly('details', served);
    this.#announce();
  }

  #take(kind: ItemKind, items: Iterable<StateItem>, signal: AbortSignal): Promise<void> {
    return this.#options.parts.long.inSlices(this.#taking(kind, items), signal);
  }

  *#taking(kind: ItemKind, items: Iterable<StateItem>): Generator<undefined, void> {
    const names = new Set<string>();
    for (const [name, value] of items) {
      names.add(name);
      this.#items.put(kind, name, JSON.stringify(value));
      // A page that opens shows the first services while the others are looked at.
      if (names.size % announceEvery === 0) this.#announce();
      yield undefined;
    }
    this.#items.keepOnly(kind, names);
  }

  #announce(): void {
    for (const onChange of this.#onChange) onChange();
  }
}

const announceEvery = 100;
