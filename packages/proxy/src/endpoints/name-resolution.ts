import { TIMEOUT } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { guardPromise, LoopFaults, messageOf, pause } from '@swarmgate/runtime';

/** The addresses of one name, and for how long they are known. */
export interface ResolvedName {
  readonly addresses: readonly string[];
  readonly ttlMs: number;
}

/** @throws Error if the name has no address or no DNS server responded */
export type ResolveName = (name: string) => Promise<ResolvedName>;

export type NameState =
  /** Never responded yet: connect to the name itself and let the system resolve it. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'resolved'; readonly addresses: readonly string[] }
  /** It never had a response. One that had keeps its last good one. */
  | { readonly kind: 'failed'; readonly message: string };

const pending: NameState = { kind: 'pending' };

export interface NameResolutionOptions {
  readonly signal: AbortSignal;
  readonly resolve?: ResolveName;
  /**
   * Longest time between two resolutions of a name that is in use, in milliseconds. Docker's DNS has a TTL of 600 s for names
   * whose addresses change with every task, so the TTL alone is not used. Default 2,000.
   */
  readonly mostRefreshMs?: number;
  /** Least time between two of them. Default 500. */
  readonly leastRefreshMs?: number;
  /** A name that was not used in this time is no longer refreshed. Default 60,000. */
  readonly unusedAfterMs?: number;
  /** Names resolved at the same time. Default 16. */
  readonly atOnce?: number;
  readonly now?: () => number;
  /** Waits; `false` when the signal has ended it. Default `pause`. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<boolean>;
}

interface Known {
  state: NameState;
  requestedMs: number;
  dueMs: number;
  busy: boolean;
}

/**
 * Keeps names resolved in the background, so that no request waits for DNS after the first, and a response that was good
 * stays in use while DNS is away.
 */
export class NameResolution {
  readonly #names = new Map<string, Known>();
  readonly #options: NameResolutionOptions;
  readonly #resolve: ResolveName;
  readonly #now: () => number;
  #running = 0;
  #changes = 0;
  readonly #faults = new LoopFaults();

  constructor(options: NameResolutionOptions) {
    this.#options = options;
    this.#resolve = options.resolve ?? resolveBySystem;
    this.#now = options.now ?? (() => performance.now());
  }

  /** How often what is known of any name has changed. */
  get changes(): number {
    return this.#changes;
  }

  /** Refreshes due names until the signal aborts. Its owner awaits it. */
  async run(): Promise<void> {
    const { signal, wait = pause, leastRefreshMs = 500 } = this.#options;
    while (await wait(leastRefreshMs / 2, signal)) {
      this.#startDue();
      this.#faults.throwFirst();
    }
  }

  /** What is known of a name; the call keeps it fresh. The same state object as long as nothing changed. */
  resolve(name: string): NameState {
    const literal = this.#literal(name);
    if (literal !== undefined) return literal;
    let known = this.#names.get(name);
    if (known === undefined) {
      known = { state: pending, requestedMs: this.#now(), dueMs: 0, busy: false };
      this.#names.set(name, known);
      this.#startDue();
    }
    known.requestedMs = this.#now();
    return known.state;
  }

  /** The present state of a name, without a query. */
  peek(name: string): NameState {
    return this.#literal(name) ?? this.#names.get(name)?.state ?? pending;
  }

  /** Every name that was requested lately and has been resolved. */
  known(): ReadonlyMap<string, NameState> {
    const found = new Map<string, NameState>();
    for (const [name, { state }] of this.#names) if (state.kind !== 'pending') found.set(name, state);
    return found;
  }

  readonly #literals = new Map<string, NameState>();

  /** Looked up before the form of the name is tested: most endpoints have addresses, and this runs for every request. */
  #literal(address: string): NameState | undefined {
    let state = this.#literals.get(address);
    if (state === undefined && isIP(address) !== 0) {
      state = { kind: 'resolved', addresses: [address] };
      this.#literals.set(address, state);
    }
    return state;
  }

  #startDue(): void {
    const { atOnce = 16, unusedAfterMs = 60_000, signal } = this.#options;
    const nowMs = this.#now();
    for (const [name, known] of this.#names) {
      if (signal.aborted || this.#running >= atOnce) return;
      if (known.busy || known.dueMs > nowMs) continue;
      if (nowMs - known.requestedMs > unusedAfterMs) {
        this.#names.delete(name);
        continue;
      }
      known.busy = true;
      this.#running += 1;
      guardPromise(this.#faults, this.#refresh(name, known));
    }
  }

  async #refresh(name: string, known: Known): Promise<void> {
    const { leastRefreshMs = 500, mostRefreshMs = 2_000 } = this.#options;
    let nextMs = mostRefreshMs;
    try {
      const { addresses, ttlMs } = await this.#resolve(name);
      nextMs = Math.min(mostRefreshMs, Math.max(leastRefreshMs, ttlMs));
      this.#learn(known, asState(addresses, known.state));
    } catch (error) {
      if (known.state.kind !== 'resolved') this.#learn(known, { kind: 'failed', message: messageOf(error) });
    }
    known.dueMs = this.#now() + nextMs;
    known.busy = false;
    this.#running -= 1;
    this.#startDue();
  }

  #learn(known: Known, state: NameState): void {
    if (known.state === state) return;
    if (known.state.kind !== 'failed' || state.kind !== 'failed') this.#changes += 1;
    known.state = state;
  }
}

function asState(addresses: readonly string[], before: NameState): NameState {
  // DNS servers rotate their responses: only another set is a change.
  const sorted = addresses.toSorted();
  if (before.kind === 'resolved' && sorted.join() === before.addresses.join()) return before;
  return { kind: 'resolved', addresses: sorted };
}

const resolver = new Resolver({ timeout: 1_000, tries: 2 });

/**
 * As the system would, without its blocking threads where that can be: /etc/hosts first, then DNS with its TTL, then
 * the system's other sources (search domains, other name services). Where the DNS server is silent these are not queried:
 * they would wait for the same server, each in one of the few threads of the process.
 */
export async function resolveBySystem(name: string): Promise<ResolvedName> {
  const listed = await addressesInHosts(name);
  if (listed.length > 0) return { addresses: listed, ttlMs: 2_000 };
  const [four, six] = await Promise.allSettled([
    resolver.resolve4(name, { ttl: true }),
    resolver.resolve6(name, { ttl: true }),
  ]);
  const records = [
    ...(four.status === 'fulfilled' ? four.value : []),
    ...(six.status === 'fulfilled' ? six.value : []),
  ];
  if (records.length > 0) {
    const ttlMs = Math.min(...records.map((record) => record.ttl)) * 1_000;
    return { addresses: [...new Set(records.map((record) => record.address))], ttlMs };
  }
  for (const each of [four, six])
    if (each.status === 'rejected' && (each.reason as NodeJS.ErrnoException).code === TIMEOUT) throw each.reason;
  const found = await lookup(name, { all: true });
  return { addresses: [...new Set(found.map((entry) => entry.address))], ttlMs: 2_000 };
}

async function addressesInHosts(name: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile('/etc/hosts', 'utf8');
  } catch {
    return [];
  }
  const found: string[] = [];
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address !== undefined && isIP(address) !== 0 && names.includes(name)) found.push(address);
  }
  return [...new Set(found)];
}
