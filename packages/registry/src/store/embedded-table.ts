import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { RegistryError } from '../registry-error.ts';
import type { SessionBehavior } from './embedded-database.ts';
import type { Operation, StoredValue, TransactionResult } from './key-value-store.ts';

export interface TableCall {
  readonly id: number;
  readonly call:
    | { readonly kind: 'get'; readonly keys: readonly string[] }
    | { readonly kind: 'list'; readonly prefix: string }
    | { readonly kind: 'names'; readonly prefix: string; readonly separator: string | undefined }
    | { readonly kind: 'transact'; readonly operations: readonly Operation[] }
    | { readonly kind: 'open-session'; readonly session: string; readonly behavior: SessionBehavior }
    | { readonly kind: 'end-session'; readonly session: string }
    | { readonly kind: 'close' };
}

/** `errcode` is SQLite's. */
export interface TableFailure {
  readonly message: string;
  readonly errcode?: number;
}

export type Opened =
  | { readonly ok: true; readonly index: number; readonly lockingSessions: readonly string[] }
  | { readonly ok: false; readonly failure: TableFailure };

export type TableReply =
  | {
      readonly id: number;
      /** Of the table, after the call. */
      readonly index: number;
      readonly ok: true;
      readonly value: unknown;
      readonly changedKeys: readonly string[];
    }
  | { readonly id: number; readonly index: number; readonly ok: false; readonly failure: TableFailure };

const openTimeoutMs = 30_000;
const defaultThread = new URL('./embedded-thread.ts', import.meta.url);

/**
 * The table of the embedded store, in a thread of its own: SQLite waits for the disk with each transaction, and a disk that
 * takes a second must not stop the requests of this process for that long. Calls are served one after the other. Calls
 * in flight keep the process alive, an idle table does not.
 */
export class EmbeddedTable {
  /** Sessions that locked keys when the file was opened: those of a former process. */
  readonly lockingSessions: readonly string[];
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #inFlight = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #ended: Promise<void>;
  #lastId = 0;
  #index: number;
  #hasEnded = false;
  #onChanged: (keys: readonly string[], index: number) => void = () => undefined;

  /** Waits until the file is open. @throws Error with SQLite's `errcode`; 5: another process has the file open */
  constructor(file: string, thread: URL = defaultThread) {
    const { port1, port2 } = new MessageChannel();
    const opened = new Int32Array(new SharedArrayBuffer(4));
    this.#port = port1;
    this.#worker = new Worker(thread, { workerData: { file, port: port2, opened }, transferList: [port2] });
    this.#ended = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    // What ended the thread is reported to the calls in flight, below.
    this.#worker.on('error', () => undefined);
    Atomics.wait(opened, 0, 0, openTimeoutMs);
    const result = receiveMessageOnPort(port1)?.message as Opened | undefined;
    if (result?.ok !== true) {
      this.#worker.unref();
      void this.#worker.terminate();
      const { message = `the thread did not open it within ${openTimeoutMs} ms`, errcode } = result?.failure ?? {};
      throw Object.assign(new Error(message), errcode === undefined ? {} : { errcode });
    }
    this.#index = result.index;
    this.lockingSessions = result.lockingSessions;
    port1.on('message', (reply: TableReply) => this.#take(reply));
    this.#worker.once('exit', () => this.#lost());
    this.#release();
  }

  /** Of the last transaction that this process has been notified of. */
  get index(): number {
    return this.#index;
  }

  /** Called for each transaction that changed something, before its caller and every later one get their responses. */
  onChanged(listener: (keys: readonly string[], index: number) => void): void {
    this.#onChanged = listener;
  }

  get(keys: readonly string[]): Promise<readonly (StoredValue | undefined)[]> {
    return this.#call({ kind: 'get', keys });
  }

  list(prefix: string): Promise<readonly StoredValue[]> {
    return this.#call({ kind: 'list', prefix });
  }

  names(prefix: string, separator: string | undefined): Promise<readonly string[]> {
    return this.#call({ kind: 'names', prefix, separator });
  }

  transact(operations: readonly Operation[]): Promise<TransactionResult> {
    return this.#call({ kind: 'transact', operations });
  }

  openSession(session: string, behavior: SessionBehavior): Promise<void> {
    return this.#call({ kind: 'open-session', session, behavior });
  }

  /** Rejects where its keys cannot be released now; the session has ended all the same. */
  endSession(session: string): Promise<void> {
    return this.#call({ kind: 'end-session', session });
  }

  async close(): Promise<void> {
    if (this.#hasEnded) return;
    await this.#call({ kind: 'close' });
    this.#worker.ref();
    await this.#ended;
  }

  #call<T>(call: TableCall['call']): Promise<T> {
    if (this.#hasEnded)
      return Promise.reject(RegistryError.of('registry-unreachable', 'the thread of the embedded registry has ended'));
    this.#lastId += 1;
    const response = Promise.withResolvers<unknown>();
    this.#inFlight.set(this.#lastId, response);
    this.#worker.ref();
    this.#port.ref();
    this.#port.postMessage({ id: this.#lastId, call } satisfies TableCall);
    return response.promise as Promise<T>;
  }

  #take(reply: TableReply): void {
    const response = this.#inFlight.get(reply.id);
    this.#inFlight.delete(reply.id);
    if (this.#inFlight.size === 0) this.#release();
    this.#index = reply.index;
    if (!reply.ok) {
      response?.reject(new Error(reply.failure.message));
      return;
    }
    if (reply.changedKeys.length > 0) this.#onChanged(reply.changedKeys, reply.index);
    response?.resolve(reply.value);
  }

  #release(): void {
    this.#worker.unref();
    this.#port.unref();
  }

  #lost(): void {
    this.#hasEnded = true;
    // Its last responses may still be on their way.
    for (let left = receiveMessageOnPort(this.#port); left !== undefined; left = receiveMessageOnPort(this.#port))
      this.#take(left.message);
    this.#port.close();
    for (const response of this.#inFlight.values())
      response.reject(new Error('the thread of the embedded registry has ended'));
    this.#inFlight.clear();
  }
}
