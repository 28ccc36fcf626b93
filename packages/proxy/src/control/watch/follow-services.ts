import {
  type HeadHints,
  type Problem,
  type Registry,
  type RegistryChange,
  RegistryError,
  type ServiceKey,
} from '@swarmgate/registry';
import { guardPromise, type Logger, messageOf, pause, type Running, Tasks } from '@swarmgate/runtime';
import type { FollowState, ServedService, ServicesChange } from '../../model/served-service.ts';
import { FullReads } from './full-reads.ts';
import { ownerOf, ServedServices } from './served-services.ts';
import { type DiskSnapshot, readSnapshotFile, snapshotPath, writeSnapshotFile } from './snapshot-file.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';

/** Older than this, overlay addresses from the disk may belong to another service by now. */
const staleAfterMs = 60_000;

export interface FollowServicesOptions {
  readonly registry: Registry;
  /** Services of this process's own environment. */
  readonly env: readonly ServedService[];
  readonly dataDir: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Hints of how far the journal has come. Default none. */
  readonly headHints?: HeadHints;
  /** Least time between two changes, so that a storm is taken in gulps; the first one is not delayed. Default 10. */
  readonly leastReadIntervalMs?: number;
  /** How long reading the history may take, where it is the fallback of a bad first document. Default 1000. */
  readonly historyTimeoutMs?: number;
  /** Ms since the epoch. Default: the clock. */
  readonly now?: () => number;
  /** Ms of a monotonic clock. Default: that of the process. */
  readonly uptime?: () => number;
  /** Runs the following. Default: tasks whose faults only the log shows. */
  readonly tasks?: Tasks;
}

/** What takes the changes. */
export interface ServicesConsumer {
  /** Puts one change in force; the next one waits for it, and changes that come meanwhile are taken together. */
  readonly onChange: (change: ServicesChange) => Promise<void>;
  /** Called whenever the state of following may have changed. */
  readonly onState?: (state: FollowState) => void;
}

export interface ReleaseReport {
  readonly released: number;
  /** Owners whose held services stay, because nothing of theirs has been published in this registry yet. */
  readonly stillHeld: readonly string[];
}

/** Serves the snapshot on disk, then the registry. Resolves when the disk's snapshot is in force. */
export async function followServices(options: FollowServicesOptions & ServicesConsumer): Promise<ServicesFollower> {
  const follower = new ServicesFollower(options);
  await follower.start(options);
  return follower;
}

/** Follows the registry for as long as the proxy lives. What goes wrong is a state, never an exception. */
export class ServicesFollower implements Running {
  readonly served: ServedServices;
  readonly #options: FollowServicesOptions;
  readonly #tasks: Tasks;
  #consumer: ServicesConsumer | undefined;
  readonly #now: () => number;
  readonly #uptime: () => number;
  readonly #path: string;
  readonly #keeper: SnapshotKeeper;
  readonly #fullReads = new FullReads();
  readonly #ending = new AbortController();
  readonly #ended: AbortSignal;
  #away: { readonly sinceMs: number; readonly error: string } | undefined;
  #headMissingSinceMs: number | undefined;
  #followingSinceMs: number | undefined;
  #asOfMs: number | undefined;
  #firstTableFrom: 'nothing' | 'snapshot' | 'memory' = 'nothing';
  #distrustTimer: NodeJS.Timeout | undefined;
  /** Services that need a fallback, whose history could not be read. */
  readonly #historyUnread = new Set<ServiceKey>();
  #following: Promise<void> = Promise.resolve();
  /** Steps come from the registry, from a person's release and from the clock: they take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: FollowServicesOptions) {
    this.#options = options;
    this.#tasks = options.tasks ?? new Tasks({ logger: options.logger });
    this.#now = options.now ?? Date.now;
    this.#uptime = options.uptime ?? (() => performance.now());
    this.#path = snapshotPath(options.dataDir, options.registry.instance);
    this.served = new ServedServices(options.env);
    this.#ended = AbortSignal.any([options.signal, this.#ending.signal]);
    this.#keeper = new SnapshotKeeper({
      logger: options.logger,
      write: (snapshot) => writeSnapshotFile(this.#path, options.registry.instance, snapshot, this.#now()),
    });
  }

  /** Resolves when the snapshot on disk is in force. Called once, before anything else. */
  async start(consumer: ServicesConsumer): Promise<void> {
    this.#consumer = consumer;
    const kept = await this.#readKept();
    if (kept !== undefined) this.#restore(kept);
    await this.#inTurn(() => this.#settle());
    this.#following = this.#tasks.run('registry-following', this.#ended, () => this.#follow());
  }

  state(): FollowState {
    if (this.#away !== undefined) return { kind: 'away', ...this.#away, from: this.#firstTableFrom };
    if (this.#headMissingSinceMs !== undefined)
      return {
        kind: 'holding',
        sinceMs: this.#headMissingSinceMs,
        reason: 'head-missing',
        held: this.served.registeredCount,
      };
    const { holding } = this.served;
    if (holding !== undefined) return { kind: 'holding', ...holding, held: this.served.held.size };
    if (this.#followingSinceMs === undefined) return { kind: 'starting' };
    return { kind: 'following', sinceMs: this.#followingSinceMs };
  }

  /** What this replica itself lacks. */
  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    const refusal = this.#keeper.refusal();
    if (refusal === undefined) return new Map();
    const problem: Problem = {
      severity: 'warning',
      reason: 'snapshot-unwritten',
      message: `the snapshot in DATA_DIR cannot be written (${refusal}): a start while the registry is away would serve an older state`,
      suggestion: `make room for ${this.#path}, or let this process write it: it is tried again every 10 s`,
    };
    return new Map([['env/snapshot', [problem]]]);
  }

  /** When the registry last responded, or when the snapshot on disk was made; ms since the epoch. */
  asOfMs(): number | undefined {
    return this.#asOfMs;
  }

  /** `false`: neither registry nor disk have given anything to serve yet. */
  hasFirstTable(): boolean {
    return this.#firstTableFrom !== 'nothing';
  }

  /** Reads everything again; resolves when it is served. @throws RegistryError `registry-unreachable` */
  readAgain(): Promise<void> {
    if (this.#away !== undefined) return Promise.reject(unreachable(this.#away.error));
    if (this.#headMissingSinceMs !== undefined) return Promise.reject(unreachable('it has no head key'));
    return this.#fullReads.request();
  }

  /**
   * Reads everything again, then lets go of held services. From another registry only those of owners who have
   * published something there, and those of `owner` in any case. @throws RegistryError `registry-unreachable`
   */
  async releaseHeld(owner?: string): Promise<ReleaseReport> {
    await this.readAgain();
    return await this.#inTurn(async () => {
      const heldBefore = this.served.held.size;
      const isOtherRegistry = this.served.holding?.reason === 'other-registry';
      const present = this.served.ownersPresent();
      this.served.release((key) => !isOtherRegistry || ownerOf(key) === owner || present.has(ownerOf(key)));
      await this.#settle();
      const released = heldBefore - this.served.held.size;
      const stillHeld = [...new Set([...this.served.held].map(ownerOf))].sort();
      this.#options.logger.warn({ released, stillHeld }, 'held services were let go on request');
      return { released, stillHeld };
    });
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    clearTimeout(this.#distrustTimer);
    this.#fullReads.failed(new Error('the proxy stops'));
    await this.#following;
    await this.#turn;
    await this.#keeper.stop();
  }

  async #follow(): Promise<void> {
    const { registry, logger, headHints, leastReadIntervalMs = 10 } = this.#options;
    const hints = headHints === undefined ? {} : { headHints };
    try {
      for await (const change of registry.follow({
        signal: this.#ended,
        fullReadRequests: this.#fullReads,
        ...hints,
      })) {
        const startedMs = performance.now();
        try {
          await this.#inTurn(() => this.#take(change));
        } catch (error) {
          logger.error({ err: error }, 'a change could not be put in force; the next one is tried');
        }
        await pause(Math.max(0, leastReadIntervalMs - (performance.now() - startedMs)), this.#ended);
        this.#fullReads.repeat();
      }
    } catch (error) {
      // What was last known is served until following succeeds again.
      this.#away = { sinceMs: this.#now(), error: messageOf(error) };
      this.#publishState();
      throw error;
    }
  }

  #take(change: RegistryChange): Promise<void> {
    if (change.kind === 'unreachable') this.#takeUnreachable(change.error);
    else if (change.kind === 'head-missing') this.#takeHeadMissing();
    else return this.#takeRegistered(change);
    this.#publishState();
    return Promise.resolve();
  }

  async #takeRegistered(change: Extract<RegistryChange, { kind: 'snapshot' | 'delta' }>): Promise<void> {
    const { logger } = this.#options;
    const heldBefore = this.served.held.size;
    this.served.absorb(change, { epochMs: this.#now(), uptimeMs: this.#uptime() });
    await this.#findFallbacks();
    if (this.#away !== undefined || this.#headMissingSinceMs !== undefined)
      logger.info(
        { revision: change.kind === 'snapshot' ? change.snapshot.revision : change.revision },
        'the registry responds again',
      );
    this.#away = undefined;
    this.#headMissingSinceMs = undefined;
    this.#followingSinceMs ??= this.#now();
    this.#asOfMs = this.#now();
    if (this.served.held.size > heldBefore)
      logger.error(
        { held: this.served.held.size, reason: this.served.holding?.reason },
        'services vanished from the registry without a reason: they are served on until `reload?force=true`',
      );
    await this.#settle(() => {
      this.#firstTableFrom = 'memory';
    });
    this.#keeper.keep(() => ({
      registryId: this.served.registryId,
      revision: this.served.revision,
      sequence: this.served.sequence,
      services: [...this.served.services.values()],
    }));
    if (change.kind === 'snapshot' && change.cause === 'requested') this.#fullReads.done();
  }

  #takeUnreachable(error: Error): void {
    this.#options.logger.warn({ err: error }, 'the registry is away: serving what was last known');
    this.#away = { sinceMs: this.#now(), error: messageOf(error) };
    this.#followingSinceMs = undefined;
    this.#fullReads.failed(error);
  }

  #takeHeadMissing(): void {
    this.#away = undefined;
    this.#followingSinceMs = undefined;
    this.#headMissingSinceMs ??= this.#now();
    this.#fullReads.failed(new Error('the registry has no head key'));
    if (this.served.registeredCount > 0) {
      const { logger } = this.#options;
      logger.error({ services: this.served.registeredCount }, 'the registry has lost its head key: nothing is removed');
    }
    // Where nothing was ever known nothing can be lost: a registry without publications is an empty table.
    if (this.#firstTableFrom === 'nothing') this.#firstTableFrom = 'memory';
  }

  /** The newest usable version in the history, for documents that are unusable at first sight. */
  async #findFallbacks(): Promise<void> {
    const { registry, logger, historyTimeoutMs = 1000 } = this.#options;
    const lacking = this.served.lackingFallback(this.#historyUnread);
    this.#historyUnread.clear();
    if (lacking.length === 0) return;
    const signal = AbortSignal.any([this.#ended, AbortSignal.timeout(historyTimeoutMs)]);
    const find = async (key: ServiceKey) => {
      try {
        const entries = await registry.history(key, signal);
        const newest = entries.toSorted((a, b) => b.number - a.number)[0];
        if (newest !== undefined) this.served.setFallback(key, newest.definition);
      } catch (error) {
        this.#historyUnread.add(key);
        logger.warn({ service: key, err: error }, 'the history of a rejected service cannot be read');
      }
    };
    await Promise.all(lacking.map(find));
  }

  async #readKept(): Promise<DiskSnapshot | undefined> {
    try {
      return await readSnapshotFile(this.#path, this.#options.registry.instance);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'snapshot on disk not used');
      return undefined;
    }
  }

  #restore(kept: DiskSnapshot): void {
    // A clock that was set back makes a snapshot of the future: its age is not known, and it counts as new.
    const ageMs = Math.max(0, this.#now() - kept.savedAtMs);
    if (kept.leftOut.length > 0)
      this.#options.logger.warn(
        { problems: kept.leftOut.length, first: kept.leftOut[0]?.message },
        'documents of the snapshot on disk left out',
      );
    this.served.restore(kept, ageMs > staleAfterMs);
    this.#asOfMs = kept.savedAtMs;
    this.#firstTableFrom = 'snapshot';
    this.#options.logger.info(
      { revision: kept.revision, services: kept.services.length, ageMs },
      'serving the snapshot on disk until the registry responds',
    );
    if (ageMs <= staleAfterMs)
      this.#distrustTimer = setTimeout(
        () => guardPromise(this.#tasks.owner('registry-following'), this.#distrustDisk()),
        Math.max(0, staleAfterMs - ageMs),
      ).unref();
  }

  async #distrustDisk(): Promise<void> {
    try {
      await this.#inTurn(() => {
        this.served.distrustDisk();
        return this.#settle();
      });
    } catch (error) {
      this.#options.logger.error({ err: error }, 'stale addresses could not be taken out of use');
    }
  }

  /** @param inForce called once the change is, before the state is reported */
  async #settle(inForce: () => void = () => undefined): Promise<void> {
    await this.#consumer?.onChange(this.served.settle());
    this.served.confirm();
    inForce();
    this.#publishState();
  }

  #publishState(): void {
    this.#consumer?.onState?.(this.state());
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(step);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

function unreachable(why: string): RegistryError {
  return RegistryError.of('registry-unreachable', `the registry is away: ${why}`);
}
