import { RegistryError } from '../registry-error.ts';
import { BlockingQueries } from './blocking-queries.ts';
import {
  type CallOptions,
  type ConsulClient,
  type ConsulResponse,
  type ConsulStoreOptions,
  callConsul,
  connectConsul,
  type KvItem,
  responseOf,
  statusOf,
  type TransactionOperation,
  type TransactionResponse,
} from './consul-client.ts';
import { checkedItem, checkedNames, checkedSession, checkedTransaction, foreign } from './consul-responses.ts';
import { EmptyKeyPolling } from './empty-key-polling.ts';
import type {
  Indexed,
  KeyValueStore,
  Operation,
  SessionOptions,
  StoredValue,
  TransactionResult,
} from './key-value-store.ts';
import { readItems } from './listed-items.ts';
import { checkKeyCount, checkOperations, checkSessionTtl, holdMs } from './store-limits.ts';

export type { ConsulStoreOptions } from './consul-client.ts';

const defaultTimeoutMs = 10_000;
// A full list of a large registry takes longer than a single key; its response has begun long before.
const listTimeoutMs = 30_000;
// What the network and Consul's scheduler may add to a wait before the connection counts as dead.
const graceMs = 3_000;

/**
 * The registry in Consul's KV, by package `consul`. Consul is not called before the first use.
 *
 * Reads that do not wait are `?consistent`: a leader that has just been elected may otherwise respond before it has
 * replayed its log, and a registry must never look empty for a moment. Waits use the
 * default mode, which is safe for them: they only respond with something newer than what the caller has.
 */
export function createConsulStore(options: ConsulStoreOptions): KeyValueStore {
  return new ConsulStore(options);
}

class ConsulStore implements KeyValueStore {
  readonly kind = 'consul';
  readonly description: string;
  readonly #client: ConsulClient;
  readonly #timeoutMs: number;
  readonly #closing = new AbortController();
  readonly #emptyKeys = new EmptyKeyPolling();
  readonly #queries = new BlockingQueries();

  constructor(options: ConsulStoreOptions) {
    const { client, url } = connectConsul(options);
    this.#client = client;
    this.description = `consul at ${url.protocol === 'https:' ? url.origin : url.host}`;
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  }

  async get(key: string, signal?: AbortSignal): Promise<StoredValue | undefined> {
    const [, item] = await this.#call(`get ${key}`, this.#timeoutMs, signal, (call) =>
      this.#client.kv.get({ ...call, key, consistent: true }),
    );
    return item === undefined ? undefined : storedValue(item);
  }

  async getMany(keys: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, StoredValue>> {
    checkKeyCount(keys);
    let required: readonly string[] = [...new Set(keys)];
    // Consul refuses the whole transaction when a key is missing, and names all that are: the next try leaves them out.
    while (required.length > 0) {
      const operations = required.map((key) => ({ KV: { Verb: 'get', Key: key } }));
      const reply = await this.#transaction(`get ${required.length} keys`, operations, signal);
      const errors = reply.Errors ?? [];
      if (errors.length === 0) return this.#found(required, reply);
      const missing = new Set(errors.map((each) => each.OpIndex));
      const present = required.filter((_, position) => !missing.has(position));
      if (present.length === required.length)
        throw RegistryError.of('registry-unreachable', `consul: get ${required.length} keys: ${errors[0]?.What}`);
      required = present;
    }
    return new Map();
  }

  async list(
    prefix: string,
    signal?: AbortSignal,
    isKnown: (key: string, index: number) => boolean = noneIsKnown,
  ): Promise<Indexed<readonly StoredValue[]>> {
    // Text that is kept until the last item is read outlives several collections, and makes each of them long.
    const read = (item: KvItem) =>
      isKnown(checkedItem(item).Key, item.ModifyIndex) ? storedValue({ ...item, Value: '' }) : encodedValue(item);
    return this.#call(`list ${prefix}`, listTimeoutMs, signal, async (call) => {
      // `raw` is ignored by Consul where keys are listed, and makes the package give the bytes of the response.
      const [response, json] = await this.#client.kv.get({
        ...call,
        key: prefix,
        recurse: true,
        raw: true,
        consistent: true,
      });
      const data = json === undefined ? [] : await readItems(json, read, signal);
      return { index: indexOf(response.headers), data };
    });
  }

  async keys(prefix: string, separator: string | undefined, signal?: AbortSignal): Promise<Indexed<readonly string[]>> {
    return this.#call(`keys of ${prefix}`, listTimeoutMs, signal, (call) =>
      this.#names({ ...call, consistent: true }, prefix, separator),
    );
  }

  async waitForKey(key: string, afterIndex: number, signal: AbortSignal): Promise<Indexed<StoredValue | undefined>> {
    const query = async (after: number, waitMs: number) => {
      const [response, item] = await this.#query(`wait for ${key}`, signal, (call) =>
        this.#client.kv.get({ ...call, ...waiting(after, waitMs), key }),
      );
      return { index: indexOf(response.headers), data: item === undefined ? undefined : storedValue(item) };
    };
    return this.#emptyKeys.wait(key, afterIndex, signal, query, (data) => data === undefined);
  }

  async waitForNames(prefix: string, afterIndex: number, signal: AbortSignal): Promise<Indexed<readonly string[]>> {
    const query = (after: number, waitMs: number) =>
      this.#query(`wait for ${prefix}`, signal, (call) =>
        this.#names({ ...call, ...waiting(after, waitMs) }, prefix, '/'),
      );
    return this.#emptyKeys.wait(prefix, afterIndex, signal, query, (names) => names.length === 0);
  }

  async transact(operations: readonly Operation[], signal?: AbortSignal): Promise<TransactionResult> {
    checkOperations(operations);
    const what = `transaction of ${operations.length} on ${operations[0]?.key}`;
    const reply = await this.#transaction(what, operations.map(consulOperation), signal);
    const errors = reply.Errors ?? [];
    if (errors.length > 0) {
      const failed = [...new Set(errors.map((each) => each.OpIndex))].toSorted((a, b) => a - b);
      return { ok: false, failed, reason: errors.map((each) => each.What).join('; ') };
    }
    const written = new Map<string, number>();
    for (const operation of operations) {
      if (!('value' in operation)) continue;
      const result = reply.Results?.find((each) => each.KV.Key === operation.key);
      // What was not confirmed may not have been written.
      if (result === undefined) throw foreign(what);
      written.set(operation.key, result.KV.ModifyIndex);
    }
    return { ok: true, written };
  }

  async createSession(options: SessionOptions, signal?: AbortSignal): Promise<string> {
    checkSessionTtl(options.ttlMs);
    const [, session] = await this.#call(`create session ${options.name}`, this.#timeoutMs, signal, (call) =>
      this.#client.session.create({
        ...call,
        name: options.name,
        ttl: `${options.ttlMs}ms`,
        behavior: options.behavior,
        // No delay: who takes over a lock is fenced by `check-session`, not by time.
        lockdelay: '0s',
        checks: [],
      }),
    );
    return checkedSession(session);
  }

  async renewSession(id: string, signal?: AbortSignal): Promise<boolean> {
    return this.#call(`renew session ${id}`, this.#timeoutMs, signal, async (call) => {
      try {
        await this.#client.session.renew({ ...call, id });
        return true;
      } catch (error) {
        if (statusOf(error) === 404) return false;
        throw error;
      }
    });
  }

  async destroySession(id: string, signal?: AbortSignal): Promise<void> {
    await this.#call(`destroy session ${id}`, this.#timeoutMs, signal, (call) =>
      this.#client.session.destroy({ ...call, id }),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort(RegistryError.of('registry-unreachable', `${this.description} was closed`));
    this.#client.destroy();
  }

  async #call<T>(
    what: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    call: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const closing = this.#closing.signal;
    const either = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    const beganMs = performance.now();
    try {
      return await callConsul(what, timeoutMs, either, call);
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'registry-unreachable') this.#queries.suspect(beganMs);
      throw error;
    }
  }

  /** One blocking query. One that `suspect` ended early got no response: it is sent again. */
  #query<T>(what: string, signal: AbortSignal, call: (options: CallOptions) => Promise<T>): Promise<T> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    return this.#queries.hold(either, (inFlight) => callConsul(what, waitTimeoutMs, inFlight, call));
  }

  async #names(call: CallOptions, prefix: string, separator: string | undefined): Promise<Indexed<readonly string[]>> {
    try {
      const options = separator === undefined ? { key: prefix } : { key: prefix, separator };
      const [response, names] = await this.#client.kv.keys({ ...call, ...options });
      return { index: indexOf(response.headers), data: checkedNames(names) };
    } catch (error) {
      const response = responseOf(error);
      if (response?.statusCode !== 404) throw error;
      return { index: indexOf(response.headers), data: [] };
    }
  }

  /** A refused transaction is a response, unless the token is what refused it. */
  async #transaction(
    what: string,
    operations: readonly TransactionOperation[],
    signal: AbortSignal | undefined,
  ): Promise<TransactionResponse> {
    return this.#call(what, this.#timeoutMs, signal, async (call) => {
      try {
        const options = { ...call, consistent: true };
        const [, reply] = (await this.#client.transaction.create(
          operations,
          options,
        )) as ConsulResponse<TransactionResponse>;
        return checkedTransaction(reply);
      } catch (error) {
        const response = responseOf(error);
        if (response?.statusCode !== 409) throw error;
        const reply = checkedTransaction(response.body);
        const denied = reply.Errors?.find((each) => /permission denied|acl not found/i.test(each.What));
        if (denied === undefined) return reply;
        throw RegistryError.of('registry-denied', `consul: ${what}: ${denied.What}`);
      }
    });
  }

  #found(required: readonly string[], reply: TransactionResponse): ReadonlyMap<string, StoredValue> {
    const results = reply.Results ?? [];
    // Consul leaves out of a reading transaction what the token may not see, without an error. Missing keys were named
    // as errors before, so fewer results than keys are a token that lost its rights, never keys that are gone.
    if (results.length < required.length) {
      throw RegistryError.of('registry-denied', `${this.description}: the token may not read ${required[0]}`);
    }
    return new Map(results.map((each) => [each.KV.Key, encodedValue(each.KV)]));
  }
}

// Consul adds up to a sixteenth of the wait at random, so that many clients do not come back at the same instant.
const waitTimeoutMs = holdMs + holdMs / 16 + graceMs;

function waiting(afterIndex: number, waitMs: number): Pick<CallOptions, 'index' | 'wait' | 'consistent'> {
  // Index 0 responds at once and is what a caller sends after it lost its place: the response must then be consistent.
  return afterIndex === 0 ? { consistent: true } : { index: String(afterIndex), wait: `${waitMs}ms` };
}

function indexOf(headers: Readonly<Record<string, string>>): number {
  const index = Number(headers['x-consul-index']);
  // Zero would turn the next wait into a busy loop.
  return Number.isSafeInteger(index) && index > 0 ? index : 1;
}

/** @throws RegistryError `registry-unreachable` for what is no item */
function storedValue(item: KvItem): StoredValue {
  const { Key, Value, ModifyIndex, Session } = checkedItem(item);
  // Consul gives an empty value back as null.
  const stored = { key: Key, value: Value ?? '', index: ModifyIndex };
  return Session === undefined ? stored : { ...stored, session: Session };
}

const noneIsKnown = () => false;

/** As a list and a transaction return it. */
function encodedValue(item: KvItem): StoredValue {
  return storedValue({ ...checkedItem(item), Value: decoded(item.Value) });
}

/** The package decodes what it reads by `kv.get`, not what a list or a transaction returns. */
function decoded(value: string | null): string {
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : '';
}

const verbs = {
  set: 'set',
  'compare-and-set': 'cas',
  delete: 'delete',
  'compare-and-delete': 'delete-cas',
  'check-index': 'check-index',
  'check-absent': 'check-not-exists',
  'check-session': 'check-session',
  lock: 'lock',
  unlock: 'unlock',
} as const satisfies Record<Operation['kind'], string>;

function consulOperation(operation: Operation): TransactionOperation {
  return {
    KV: {
      Verb: verbs[operation.kind],
      Key: operation.key,
      ...('value' in operation ? { Value: Buffer.from(operation.value).toString('base64') } : {}),
      ...('index' in operation ? { Index: operation.index } : {}),
      ...('session' in operation ? { Session: operation.session } : {}),
    },
  };
}
