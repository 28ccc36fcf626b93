import type { Problem, ServiceDefinition, ServiceKey } from '@swarmgate/labels';
import type { EndpointsDocument } from './definition/endpoints-document.ts';
import type { MaintenanceDocument } from './definition/maintenance-document.ts';
import type { KeyValueStore } from './store/key-value-store.ts';

/**
 * The registry of one proxy instance: what listeners and people publish and proxies follow. One implementation over
 * the small `KeyValueStore` port, so Consul and the embedded store keep the same promises.
 */
export interface Registry {
  readonly store: KeyValueStore;
  readonly instance: string;

  /** Everything, in one full read. Reads `head` first. @throws RegistryError */
  read(signal: AbortSignal): Promise<RegistryRead>;

  /**
   * Follows every change for ever, until the signal aborts. Never throws: what goes wrong is an item. The first item
   * is a `snapshot`, unless the registry is away. After `unreachable` or `lost` the next good item is a `snapshot`.
   */
  follow(options: FollowOptions): AsyncGenerator<RegistryChange, void>;

  /**
   * Writes as many whole services as fit in each transaction, in name order, each with its journal entry and, where a
   * definition is replaced, its history entry. Equal values are not written. Creates `head` if there is none. Concurrent
   * publications share transactions; each succeeds or fails by itself.
   * @throws RegistryError `registry-conflict` when a `definition.index` no longer holds, `leadership-lost` by the fence.
   */
  publish(changes: readonly ServiceChange[], options: PublishOptions): Promise<PublishReport>;

  history(key: ServiceKey, signal: AbortSignal): Promise<readonly HistoryEntry[]>;

  /**
   * The newest position of the journal whose writer waits until it is served everywhere (`PublishOptions.awaited`), as far
   * as this process has followed. `undefined`: none.
   */
  awaitedPosition(): JournalPosition | undefined;
}

export type RegistryRead =
  | { readonly kind: 'snapshot'; readonly snapshot: RegistrySnapshot }
  /** No `head`: a registry that is new, or lost. Never "no services". */
  | { readonly kind: 'head-missing' };

/** All documents at one revision. Frozen. */
export interface RegistrySnapshot {
  /** Opaque, for people and comparisons: `<registryId>:<sequence>`. */
  readonly revision: string;
  /** Random, made with `head`: another one is another registry. */
  readonly registryId: string;
  /** Journal sequence: rises by one with every transaction. */
  readonly sequence: number;
  readonly services: ReadonlyMap<ServiceKey, Stored<ServiceDefinition>>;
  readonly endpoints: ReadonlyMap<ServiceKey, Stored<EndpointsDocument>>;
  /** What the listeners could not use. */
  readonly labelProblems: ReadonlyMap<ServiceKey, readonly Problem[]>;
  /** What operators have taken down. Absent: none. */
  readonly maintenance?: ReadonlyMap<ServiceKey, Stored<MaintenanceDocument>>;
  /** Keys below the prefix that are none of the layout: reported, never changed. */
  readonly foreignKeys: readonly string[];
}

/** A document with the index that a compare-and-set of it needs; or one that cannot be used, and why. */
export type Stored<T> =
  | {
      readonly ok: true;
      readonly document: T;
      readonly index: number;
      /** What of it has no effect; absent where there is nothing of that kind. */
      readonly warnings?: readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly index: number; readonly raw: string };

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** How long the journal may take to explain a removal that a search for missed writes found. Default 250. */
  readonly journalGraceMs?: number;
  /**
   * A manual edit made between two blocking queries can be masked by the journalled write that follows it. Where the
   * store's indexes leave room for one, the follower searches for it after this time, at most once a minute. Default 2_000.
   */
  readonly searchAfterMs?: number;
  /** Aborts and restarts the wait with a full read: what `reload` without parameters does. */
  readonly fullReadRequests?: AsyncIterable<void>;
  /** Hints of how far the journal has come. A wrong one costs at most one read of `head`. */
  readonly headHints?: HeadHints;
}

/** A source of hints: sequences that the journal has reached, according to other replicas. */
export interface HeadHints {
  /** Returns the way to stop it. */
  subscribe(listener: (sequence: number) => void): () => void;
}

export type RegistryChange =
  | {
      readonly kind: 'snapshot';
      readonly snapshot: RegistrySnapshot;
      readonly cause: FullReadCause;
      readonly journalled: ReadonlySet<ServiceKey>;
    }
  /** Exactly what the journal names. `undefined` in a map: removed. */
  | {
      readonly kind: 'delta';
      readonly revision: string;
      readonly sequence: number;
      readonly services: ReadonlyMap<ServiceKey, Stored<ServiceDefinition> | undefined>;
      readonly endpoints: ReadonlyMap<ServiceKey, Stored<EndpointsDocument> | undefined>;
      readonly labelProblems: ReadonlyMap<ServiceKey, readonly Problem[] | undefined>;
      readonly maintenance?: ReadonlyMap<ServiceKey, Stored<MaintenanceDocument> | undefined>;
    }
  /** Emitted once when it begins; the follower goes on trying. */
  | { readonly kind: 'unreachable'; readonly error: Error }
  /** `head` is missing though this follower saw one before (or the reader may not see it). */
  | { readonly kind: 'head-missing' };

export type FullReadCause =
  | 'start'
  | 'journal-gap'
  | 'hand-edit'
  | 'index-backwards'
  | 'other-registry'
  | 'reconnect'
  | 'requested';

/** What one publication does to one service. Absent parts stay as they are; `null` removes. */
export interface ServiceChange {
  readonly owner: string;
  readonly service: string;
  readonly definition?: {
    readonly document: ServiceDefinition | null /** what it replaces: 0 for new, absent for whatever stands there */;
    readonly index?: number;
  };
  readonly endpoints?: EndpointsDocument | null;
  readonly labelProblems?: readonly Problem[] | null;
  /** `index`: as that of `definition`. */
  readonly maintenance?: { readonly document: MaintenanceDocument | null; readonly index: number };
}

export interface PublishOptions {
  readonly signal: AbortSignal;
  /** Who, for the history: `swarm-listener on node1`, `REST from 10.0.0.7`. */
  readonly by: string;
  /** A leader's fence: every transaction begins with `check-session` on this key. */
  readonly fence?: { readonly key: string; readonly session: string };
  /** The writer waits until every replica serves the change, so that they report it without delay. Default false. */
  readonly awaited?: boolean;
}

/** A place in the journal of one registry. Sequences of two registries say nothing about each other. */
export interface JournalPosition {
  readonly registryId: string;
  readonly sequence: number;
}

/** Its position is that of the last transaction; the current one when nothing had to be written. */
export interface PublishReport extends JournalPosition {
  readonly revision: string;
  readonly transactions: number;
  /** Services whose documents were equal already. */
  readonly unchanged: readonly ServiceKey[];
}

export interface HistoryEntry {
  readonly number: number;
  /** When it was replaced, ISO 8601, by whom, and what was replaced. */
  readonly replacedAt: string;
  readonly replacedBy: string;
  readonly definition: ServiceDefinition;
}

/** A proxy's status key: `<instance>/proxies/<replica>`, gone with its session. */
export interface ReplicaStatus {
  readonly replica: string;
  readonly registryId: string;
  /** Journal sequence whose routes it serves. */
  readonly sequence: number;
  readonly routes: number;
  readonly rejected: number;
  /** The last request for a full read (`<instance>/reload`) that this replica has carried out. */
  readonly reload?: string | undefined;
  /** How far it serves what the orderer of certificates wrote; absent where it follows no certificates. */
  readonly acme?: string | undefined;
  /** What of the registry its version follows beside services: `maintenance`. Absent: nothing. */
  readonly features?: readonly string[] | undefined;
  readonly version: string;
  /** When this replica started, ISO 8601. */
  readonly since: string;
  /** It is stopping: it finishes what is in flight. No barrier of another replica waits for it. */
  readonly draining?: true | undefined;
}

/** What a replica reports; its presence adds the rest of its status. */
export type ReportedStatus = Omit<ReplicaStatus, 'replica' | 'version' | 'features' | 'since' | 'draining'>;

/** Announces one replica while it lives and lists all of them. */
export interface ReplicaPresence {
  /**
   * Writes are coalesced to at most 4 a second, and to 100 a second while a change by REST waits for them. Never throws:
   * while the registry is away the status waits.
   */
  report(status: ReportedStatus): void;
  /**
   * Marks this replica as draining until `stop`: it stays in the list, and barriers of others stop waiting for it, those of versions
   * that know no draining replicas included. Never throws.
   */
  drain(): void;
  list(signal: AbortSignal): Promise<readonly ReplicaStatus[]>;
  /**
   * Keeps a document with what this replica counted beside its status, under `<instance>/numbers/<replica>`. It ends with the
   * replica. Never throws: while the registry is away the newest one waits.
   */
  shareNumbers(document: string): void;
  /**
   * Resolves when every live replica serves `position`, or at the timeout, with the ones that do not. A replica that still
   * serves what a lost registry held serves no position of the new one.
   * @throws RegistryError `registry-unreachable` when the replicas could not be listed by then
   */
  waitUntilServed(position: JournalPosition, timeoutMs: number, signal: AbortSignal): Promise<BarrierReport>;
  /** As `waitUntilServed`, for anything else that a replica reports. */
  waitUntil(
    isServing: (status: ReplicaStatus) => boolean,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<BarrierReport>;
  stop(): Promise<void>;
}

/** Names of the live replicas, sorted, by whether they serve a sequence. */
export interface BarrierReport {
  readonly serving: readonly string[];
  readonly waitingFor: readonly string[];
}

/** A role that one of several processes has at a time: the leader of an owner, the reporter of problems. */
export interface Leadership {
  readonly state: () => LeadershipState;
  /** Called on every change, at once with the present state. Returns the way to stop it. */
  onChange(listener: (state: LeadershipState) => void): () => void;
  stop(): Promise<void>;
}

export type LeadershipState =
  | { readonly kind: 'standby' }
  | {
      readonly kind: 'leading';
      readonly fence: { readonly key: string; readonly session: string };
      readonly signal: AbortSignal;
    };
