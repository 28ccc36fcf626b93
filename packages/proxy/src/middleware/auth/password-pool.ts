import { Worker } from 'node:worker_threads';
import { guard } from '@swarmgate/runtime';

export interface PasswordJob {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

export interface PasswordResult {
  readonly id: number;
  readonly fits: boolean;
}

/** `busy`: too many checks are queued, or the thread was lost. Access is denied. */
export type PasswordCheckResult = 'fits' | 'differs' | 'busy';

const mostWaiting = 100;

/**
 * One worker thread that compares passwords with crypt(3) hashes. Started by the first job, kept, and restarted if it
 * dies. It never keeps the process alive by itself.
 */
export class PasswordPool {
  readonly #waiting = new Map<number, (result: PasswordCheckResult) => void>();
  #worker: Worker | undefined;
  #lastId = 0;
  #stopped = false;

  check(password: string, hash: string): Promise<PasswordCheckResult> {
    if (this.#stopped || this.#waiting.size >= mostWaiting) return Promise.resolve('busy');
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      const worker = this.#started();
      worker.ref();
      const job: PasswordJob = { id, password, hash };
      worker.postMessage(job);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const worker = this.#worker;
    this.#lost();
    await worker?.terminate();
  }

  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL('./password-worker.ts', import.meta.url));
    const lost = () => this.#lost(worker);
    const owner = { onFault: lost };
    worker.on(
      'message',
      guard(owner, ({ id, fits }: PasswordResult) => {
        this.#waiting.get(id)?.(fits ? 'fits' : 'differs');
        this.#waiting.delete(id);
        if (this.#waiting.size === 0) worker.unref();
      }),
    );
    // However it ended, waiting jobs fail, and the next job starts a new thread.
    worker.on('error', guard(owner, lost));
    worker.on('exit', guard(owner, lost));
    this.#worker = worker;
    return worker;
  }

  #lost(worker: Worker | undefined = this.#worker): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    for (const resolve of this.#waiting.values()) resolve('busy');
    this.#waiting.clear();
  }
}
