import { backoffMs, type Logger, pause, Tasks } from '@swarmgate/runtime';
import type { KeyLayout } from '../journal/key-layout.ts';
import type { BarrierReport, JournalPosition, ReplicaPresence, ReplicaStatus, ReportedStatus } from '../registry.ts';
import { RegistryError } from '../registry-error.ts';
import type { KeyValueStore } from '../store/key-value-store.ts';
import { ReplicaBarrier } from './replica-barrier.ts';
import { hasReached, leftNote, listReplicas, statusDocument } from './replica-status.ts';

export interface PresenceOptions {
  readonly store: KeyValueStore;
  readonly layout: KeyLayout;
  /** Unique among live replicas; part of a key. */
  readonly replica: string;
  readonly version: string;
  readonly logger: Logger;
  /** The newest position that a change by REST waits for (`Registry.awaitedPosition`). Default: none. */
  readonly awaitedPosition?: () => JournalPosition | undefined;
  /** How long a dead replica is listed at least; default and least 10_000. */
  readonly ttlMs?: number;
  /** Least time between two writes. Default 250. */
  readonly betweenWritesMs?: number;
  /** Default: tasks whose faults only the log shows. */
  readonly tasks?: Pick<Tasks, 'run'>;
}

type Report = ReportedStatus & Pick<ReplicaStatus, 'draining'>;

/** What this version follows beside services. */
const features = ['maintenance'] as const;

// Between two writes that a change by REST waits for, and before a replica is marked as draining. A write takes some milliseconds by
// itself; this bounds what several replicas write together while changes come without a pause.
const betweenAwaitedWritesMs = 10;

/**
 * Announces this replica from its first report on: a key bound to a session, which ends with the replica. See
 * `ReplicaPresence`.
 */
export function announceReplica(options: PresenceOptions): ReplicaPresence {
  return new Announcer(options);
}

class Announcer implements ReplicaPresence {
  readonly #options: PresenceOptions & { readonly ttlMs: number; readonly betweenWritesMs: number };
  readonly #since = new Date().toISOString();
  readonly #stopping = new AbortController();
  readonly #barrier: ReplicaBarrier;
  readonly #announcing: Promise<void>;
  #report: Report | undefined;
  #numbers: string | undefined;
  #reported: (() => void) | undefined;
  #failures = 0;
  #isWritten = false;
  #isDraining = false;
  #wasWritten = false;
  #hasLeftNote = false;
  /** Its key was there until it ended: others see it go. */
  #endedWithKey = false;

  constructor(options: PresenceOptions) {
    this.#options = { ttlMs: 10_000, betweenWritesMs: 250, ...options };
    const { store, layout, betweenWritesMs, ttlMs } = this.#options;
    this.#barrier = new ReplicaBarrier({
      store,
      layout,
      own: () => this.#ownStatus(),
      isWritten: () => this.#isWritten,
      lostMs: 2 * ttlMs,
      betweenRetriesMs: betweenWritesMs,
    });
    const { tasks = new Tasks({ logger: options.logger }) } = options;
    this.#announcing = tasks.run('replica-presence', this.#stopping.signal, () => this.#announce());
  }

  report(status: ReportedStatus): void {
    this.#report = this.#isDraining ? { ...status, draining: true } : status;
    this.#barrier.ownStatusChanged();
    this.#reported?.();
  }

  drain(): void {
    this.#isDraining = true;
    // One that never reported is in no list.
    if (this.#report !== undefined) this.report(this.#report);
  }

  async list(signal: AbortSignal): Promise<readonly ReplicaStatus[]> {
    const listed = await listReplicas(this.#options.store, this.#options.layout, signal);
    this.#barrier.note(listed);
    return [...listed.live, ...listed.draining].toSorted((a, b) => (a.replica < b.replica ? -1 : 1));
  }

  shareNumbers(document: string): void {
    this.#numbers = document;
    this.#reported?.();
  }

  waitUntilServed(position: JournalPosition, timeoutMs: number, signal: AbortSignal): Promise<BarrierReport> {
    return this.waitUntil((status) => hasReached(status, position), timeoutMs, signal);
  }

  waitUntil(isServing: (status: ReplicaStatus) => boolean, timeoutMs: number, signal: AbortSignal) {
    return this.#barrier.wait(isServing, timeoutMs, signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#announcing;
    await this.#leaveNote();
  }

  /**
   * From memory: the key in the registry may be late, or gone with a lost session. Before its first report a replica
   * serves nothing.
   */
  #ownStatus(): ReplicaStatus {
    const { replica, version } = this.#options;
    const report = this.#report ?? { registryId: '', sequence: 0, routes: 0, rejected: 0 };
    return { replica, ...report, features, version, since: this.#since };
  }

  async #announce(): Promise<void> {
    const { signal } = this.#stopping;
    const { logger } = this.#options;
    // A draining replica whose session is lost leaves the list: it ends soon, and another process may have its name by now.
    while (!signal.aborted && !this.#isDraining) {
      let session: string | undefined;
      try {
        await this.#untilReported(undefined);
        if (signal.aborted) return;
        session = await this.#openSession();
        await this.#keepWritten(session);
      } catch (error) {
        if (signal.aborted) break;
        // Perhaps with all others, as where Consul went away and comes back empty.
        this.#barrier.sessionLost();
        logger[this.#failures === 0 ? 'warn' : 'debug'](
          { attempt: this.#failures, err: error },
          'replica status not written, retrying',
        );
      } finally {
        if (session !== undefined) await this.#endSession(session);
      }
      // After a session that was lost as well: no way through this loop goes without a turn of the event loop.
      await pause(backoffMs(this.#failures, 100, 2_000), signal);
      this.#failures += 1;
    }
    // At once, not at the end of the drain: until then each barrier of others would wait for it.
    if (!signal.aborted) await this.#leaveNote();
  }

  /** Takes the replica's key, also from a former process of the same name whose session has not ended yet. */
  async #openSession(): Promise<string> {
    const { store, layout, replica, ttlMs } = this.#options;
    const { signal } = this.#stopping;
    const former = await store.get(layout.replica(replica), signal);
    if (former?.session !== undefined) await store.destroySession(former.session, signal);
    return store.createSession({ name: `replica ${replica}`, ttlMs, behavior: 'delete' }, signal);
  }

  /** Writes each new report and renews the session; returns when the session is gone, or on stop. */
  async #keepWritten(session: string): Promise<void> {
    const { store, layout, replica, ttlMs } = this.#options;
    const { signal } = this.#stopping;
    const key = layout.replica(replica);
    let written: Report | undefined;
    let writtenAtMs = Number.NEGATIVE_INFINITY;
    let numbersWritten: string | undefined;
    let renewAtMs = performance.now() + ttlMs / 3;
    while (!signal.aborted) {
      const writeAtMs = this.#report === written ? Number.POSITIVE_INFINITY : writtenAtMs + this.#leastPauseMs(written);
      const nowMs = performance.now();
      if (nowMs >= writeAtMs) {
        const report = this.#report;
        const value = statusDocument(this.#ownStatus());
        const result = await store.transact([{ kind: 'lock', key, value, session }], signal);
        if (!result.ok) throw RegistryError.of('registry-conflict', `${key}: ${result.reason}`);
        this.#failures = 0;
        if (written === undefined) this.#barrier.refresh();
        this.#isWritten = true;
        this.#wasWritten = true;
        written = report;
        writtenAtMs = nowMs;
      } else if (this.#numbers !== undefined && this.#numbers !== numbersWritten) {
        const value = this.#numbers;
        const numbersKey = `${layout.numbers}${replica}`;
        const result = await store.transact([{ kind: 'lock', key: numbersKey, value, session }], signal);
        if (!result.ok) throw RegistryError.of('registry-conflict', `${numbersKey}: ${result.reason}`);
        numbersWritten = value;
      } else if (nowMs >= renewAtMs) {
        if (!(await store.renewSession(session, signal))) {
          this.#barrier.sessionLost();
          return;
        }
        this.#barrier.refresh();
        renewAtMs = performance.now() + ttlMs / 3;
      } else await this.#untilReported(this.#report, Math.min(writeAtMs, renewAtMs) - nowMs);
    }
  }

  /** How long after the last write the next one may follow. */
  #leastPauseMs(written: Report | undefined): number {
    const { betweenWritesMs, awaitedPosition } = this.#options;
    const awaited = awaitedPosition?.();
    const has = (report: Report | undefined) =>
      awaited !== undefined && report !== undefined && hasReached(report, awaited);
    const isDue = (!has(written) && has(this.#report)) || (this.#isDraining && written?.draining !== true);
    return isDue ? Math.min(betweenAwaitedWritesMs, betweenWritesMs) : betweenWritesMs;
  }

  /** Resolves when there is another report than `known`, after `timeoutMs`, or on stop. */
  async #untilReported(known: Report | undefined, timeoutMs?: number): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted || this.#report !== known) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#reported = undefined;
        resolve();
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(wake, Math.max(0, Math.ceil(timeoutMs)));
      signal.addEventListener('abort', wake, { once: true });
      this.#reported = wake;
    });
  }

  /** Without the stop signal: on SIGTERM the replica stops counting at once, not after its TTL. */
  async #endSession(session: string): Promise<void> {
    const { store, layout, replica, logger } = this.#options;
    const withinTime = AbortSignal.timeout(2_000);
    this.#isWritten = false;
    try {
      const stored = this.#stopping.signal.aborted ? await store.get(layout.replica(replica), withinTime) : undefined;
      await store.destroySession(session, withinTime);
      this.#endedWithKey = stored?.session === session;
    } catch (error) {
      logger.debug({ err: error }, 'session of this replica not ended');
    }
  }

  /**
   * Its key vanished with a session that was lost, so others count this replica on until it has another: the note at its key says
   * that it has none to come. It goes with a session that is not renewed. Left once, and only where the key is not known to have gone
   * with the end of its own session.
   */
  async #leaveNote(): Promise<void> {
    if (!this.#wasWritten || this.#endedWithKey || this.#hasLeftNote) return;
    this.#hasLeftNote = true;
    const { store, layout, replica, ttlMs, logger } = this.#options;
    const withinTime = AbortSignal.timeout(2_000);
    try {
      const name = `replica ${replica}, stopped`;
      const session = await store.createSession({ name, ttlMs, behavior: 'delete' }, withinTime);
      // Refused where another process has that name by now.
      const note = leftNote(replica);
      await store.transact([{ kind: 'lock', key: layout.replica(replica), value: note, session }], withinTime);
    } catch (error) {
      logger.debug({ err: error }, 'no note of the stop of this replica: others count it until its time is over');
    }
  }
}
