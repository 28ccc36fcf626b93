/**
 * The small port under the registry: a versioned key–value store with transactions, sessions and waits, shaped after
 * Consul's KV (https://developer.hashicorp.com/consul/api-docs/kv and /txn), because that is the store users look into.
 * Both implementations are held to `test/store-contract.ts`.
 *
 * Every call rejects with a `RegistryError`: `registry-unreachable` (nothing is known), `registry-denied` (token), or
 * `registry-refused` (too large, malformed). A failed read is never an empty response. An aborted call rejects with the
 * signal's reason.
 */
export interface KeyValueStore {
  readonly kind: 'consul' | 'embedded';
  /** For people: `consul at 127.0.0.1:8500`, `embedded in ./.swarmgate`. */
  readonly description: string;
  get(key: string, signal?: AbortSignal): Promise<StoredValue | undefined>;
  /** Several keys at one instant, at most 64. Missing ones are missing in the response. */
  getMany(keys: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, StoredValue>>;
  /**
   * Everything below a prefix. Read a sentinel key first: Consul responds with 404 here for a lost token.
   * @param isKnown the caller has the value of this key at this index: it may come as an empty one. Default: none is known
   */
  list(
    prefix: string,
    signal?: AbortSignal,
    isKnown?: (key: string, index: number) => boolean,
  ): Promise<Indexed<readonly StoredValue[]>>;
  /** Names only; with a separator one level deep. */
  keys(prefix: string, separator: string | undefined, signal?: AbortSignal): Promise<Indexed<readonly string[]>>;
  /**
   * Holds until the key changes after `afterIndex` (0: responds at once), or until the store's own hold time (55 s at
   * most) is over, and then responds as `get` does. The caller compares indexes; equal means nothing happened. An index
   * lower than `afterIndex` means that the store lost its data.
   */
  waitForKey(key: string, afterIndex: number, signal: AbortSignal): Promise<Indexed<StoredValue | undefined>>;
  /** As `waitForKey`, for anything below a prefix, moving only the one-level names. */
  waitForNames(prefix: string, afterIndex: number, signal: AbortSignal): Promise<Indexed<readonly string[]>>;
  /** All or nothing. At most 64 operations and 512 KiB as sent, values in base64. A key that is equal is not written. */
  transact(operations: readonly Operation[], signal?: AbortSignal): Promise<TransactionResult>;
  /** A session ends by itself `ttlMs` after its last renewal (Consul: up to twice that), releasing or deleting its keys. */
  createSession(options: SessionOptions, signal?: AbortSignal): Promise<string>;
  /** `false`: the session is gone. */
  renewSession(id: string, signal?: AbortSignal): Promise<boolean>;
  destroySession(id: string, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface StoredValue {
  readonly key: string;
  readonly value: string;
  /** Changes with every write of this key; what compare-and-set compares. */
  readonly index: number;
  /** The session that holds this key as a lock. */
  readonly session?: string;
}

export interface Indexed<T> {
  readonly index: number;
  readonly data: T;
}

export type Operation =
  | { readonly kind: 'set'; readonly key: string; readonly value: string }
  /** `index` 0: only if the key does not exist. */
  | { readonly kind: 'compare-and-set'; readonly key: string; readonly value: string; readonly index: number }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'compare-and-delete'; readonly key: string; readonly index: number }
  | { readonly kind: 'check-index'; readonly key: string; readonly index: number }
  | { readonly kind: 'check-absent'; readonly key: string }
  /** Holds only while this session holds the key's lock. The fence of a leader's write. */
  | { readonly kind: 'check-session'; readonly key: string; readonly session: string }
  | { readonly kind: 'lock'; readonly key: string; readonly value: string; readonly session: string }
  | { readonly kind: 'unlock'; readonly key: string; readonly value: string; readonly session: string };

export type TransactionResult =
  | { readonly ok: true; readonly written: ReadonlyMap<string, number> }
  /** Nothing was applied. `operations` are the positions that did not hold. */
  | { readonly ok: false; readonly failed: readonly number[]; readonly reason: string };

export interface SessionOptions {
  readonly name: string;
  /** At least 10_000 (Consul's own limit). */
  readonly ttlMs: number;
  /** What happens to its keys at its end. */
  readonly behavior: 'release' | 'delete';
}
