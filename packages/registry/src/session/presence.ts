import { backoffMs, type Logger, messageOf, pause } from '@swarmgate/runtime';
import { z } from 'zod';
import type { KeyLayout } from '../journal/key-layout.ts';
import type { ReplicaPresence, ReplicaStatus } from '../registry.ts';
import { RegistryError } from '../registry-error.ts';
import type { KeyValueStore, StoredValue } from '../store/key-value-store.ts';

export interface PresenceOptions {
  readonly store: KeyValueStore;
  readonly layout: KeyLayout;
  /** Unique among live replicas; part of a key. */
  readonly replica: string;
  readonly version: string;
  readonly logger: Logger;
  /** How long a dead replica is still listed at least; at least and by default 10_000. */
  readonly ttlMs?: number;
  /** Least time between two writes. Default 250. */
  readonly betweenWritesMs?: number;
}

type Report = Omit<ReplicaStatus, 'replica' | 'version' | 'since'>;

const statusSchema = z.object({
  replica: z.string(),
  registryId: z.string(),
  sequence: z.number(),
  routes: z.number(),
  rejected: z.number(),
  reload: z.string().optional(),
  version: z.string(),
  since: z.string(),
});

/**
 * Announces this replica from its first report on: a key bound to a session, which ends with the replica. See
 * `ReplicaPresence`.
 */
export function announceReplica(options: PresenceOptions): ReplicaPresence {
  return new Announcer(options);
}

/** What every live replica serves. @throws RegistryError */
export async function listReplicas(
  store: KeyValueStore,
  layout: KeyLayout,
  signal: AbortSignal,
): Promise<readonly ReplicaStatus[]> {
  return statusesOf((await store.list(layout.proxies, signal)).data);
}

class Announcer implements ReplicaPresence {
  readonly #options: PresenceOptions & { readonly ttlMs: number; readonly betweenWritesMs: number };
  readonly #since = new Date().toISOString();
  readonly #stopping = new AbortController();
  readonly #announcing: Promise<void>;
  #report: Report | undefined;
  #reported: (() => void) | undefined;

  constructor(options: PresenceOptions) {
    this.#options = { ttlMs: 10_000, betweenWritesMs: 250, ...options };
    this.#announcing = this.#announce();
  }

  report(status: Report): void {
    this.#report = status;
    this.#reported?.();
  }

  list(signal: AbortSignal): Promise<readonly ReplicaStatus[]> {
    return listReplicas(this.#options.store, this.#options.layout, signal);
  }

  async waitUntilServed(sequence: number, timeoutMs: number, signal: AbortSignal) {
    const { store, layout } = this.#options;
    const deadline = AbortSignal.timeout(Math.ceil(timeoutMs));
    const either = AbortSignal.any([signal, deadline]);
    let statuses: readonly ReplicaStatus[] = [];
    let names = { index: 0 };
    while (!either.aborted) {
      try {
        // The wait's index comes before the list: a status written in between wakes us once more, never too few times.
        names = await store.waitForNames(layout.proxies, names.index, either);
        statuses = this.#withOwn(await this.list(either));
        if (statuses.every((status) => status.sequence >= sequence)) break;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!deadline.aborted) {
          if (!(error instanceof RegistryError)) throw error;
          names = { index: 0 };
          await pause(this.#options.betweenWritesMs, either);
        }
      }
    }
    signal.throwIfAborted();
    const replicas = (serving: boolean) =>
      statuses.filter((status) => status.sequence >= sequence === serving).map((status) => status.replica);
    return { serving: replicas(true), waitingFor: replicas(false) };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#announcing;
  }

  /**
   * What we serve ourselves we know better than the registry: our key may be late, or gone with a lost session. Before our
   * first report we serve nothing.
   */
  #withOwn(listed: readonly ReplicaStatus[]): readonly ReplicaStatus[] {
    const { replica, version } = this.#options;
    const report = this.#report ?? { registryId: '', sequence: 0, routes: 0, rejected: 0 };
    const own: ReplicaStatus = { replica, ...report, version, since: this.#since };
    return [...listed.filter((status) => status.replica !== replica), own].toSorted((a, b) =>
      a.replica < b.replica ? -1 : 1,
    );
  }

  async #announce(): Promise<void> {
    const { signal } = this.#stopping;
    let attempt = 0;
    while (!signal.aborted) {
      let session: string | undefined;
      try {
        await this.#untilReported(undefined);
        if (signal.aborted) return;
        session = await this.#openSession();
        attempt = 0;
        await this.#keepWritten(session);
      } catch (error) {
        if (signal.aborted) break;
        this.#options.logger.warn(
          { attempt, error: messageOf(error) },
          'this replica cannot be announced, trying again',
        );
        await pause(backoffMs(attempt, 100, 2_000), signal);
        attempt += 1;
      } finally {
        if (session !== undefined) await this.#endSession(session);
      }
    }
  }

  /** Takes the replica's key, also from a former process of the same name whose session has not ended yet. */
  async #openSession(): Promise<string> {
    const { store, layout, replica, ttlMs } = this.#options;
    const { signal } = this.#stopping;
    const former = await store.get(layout.replica(replica), signal);
    if (former?.session !== undefined) await store.destroySession(former.session, signal);
    return store.createSession({ name: `replica ${replica}`, ttlMs, behavior: 'delete' }, signal);
  }

  /** Writes each new report and renews the session; returns when the session is gone or on stop. */
  async #keepWritten(session: string): Promise<void> {
    const { store, layout, replica, version, ttlMs, betweenWritesMs } = this.#options;
    const { signal } = this.#stopping;
    const key = layout.replica(replica);
    let written: Report | undefined;
    let renewAtMs = performance.now() + ttlMs / 3;
    while (!signal.aborted) {
      const report = this.#report;
      if (report !== undefined && report !== written) {
        const value = JSON.stringify({ replica, ...report, version, since: this.#since }, undefined, 2);
        const result = await store.transact([{ kind: 'lock', key, value, session }], signal);
        if (!result.ok) throw RegistryError.of('registry-conflict', `${key}: ${result.reason}`);
        written = report;
        await pause(betweenWritesMs, signal);
      }
      if (performance.now() >= renewAtMs) {
        if (!(await store.renewSession(session, signal))) return;
        renewAtMs = performance.now() + ttlMs / 3;
      }
      await this.#untilReported(written, renewAtMs - performance.now());
    }
  }

  async #untilReported(written: Report | undefined, timeoutMs?: number): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted || this.#report !== written || (timeoutMs !== undefined && timeoutMs <= 0)) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#reported = undefined;
        resolve();
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(wake, timeoutMs);
      signal.addEventListener('abort', wake, { once: true });
      this.#reported = wake;
    });
  }

  /** Without our signal: at SIGTERM the replica stops counting at once, not after its TTL. */
  async #endSession(session: string): Promise<void> {
    try {
      await this.#options.store.destroySession(session, AbortSignal.timeout(2_000));
    } catch (error) {
      this.#options.logger.debug({ error: messageOf(error) }, 'the session of this replica could not be ended');
    }
  }
}

function statusesOf(stored: readonly StoredValue[]): readonly ReplicaStatus[] {
  const statuses: ReplicaStatus[] = [];
  for (const { value } of stored) {
    try {
      const parsed = statusSchema.safeParse(JSON.parse(value));
      if (parsed.success) statuses.push(parsed.data);
    } catch {
      // Somebody else's key among the replicas: it serves nothing and nobody waits for it.
    }
  }
  return statuses;
}
