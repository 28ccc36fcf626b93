import type {
  EndpointsDocument,
  MaintenanceDocument,
  Problem,
  ServiceDefinition,
  ServiceKey,
} from '@swarmgate/registry';

/** What the proxy serves of one service, wherever it has it from. */
export interface ServedService {
  readonly key: ServiceKey;
  readonly definition: ServiceDefinition;
  readonly endpoints: EndpointsDocument | undefined;
  /** What operators have taken down of it; absent: nothing. */
  readonly maintenance?: MaintenanceDocument | undefined;
  /**
   * `last-good` and `history` stand in for a document that cannot be used; `snapshot` is the disk's, before the registry
   * responded; `env` never was in the registry.
   */
  readonly origin: 'registry' | 'last-good' | 'history' | 'snapshot' | 'env';
  /**
   * `false`: overlay addresses may belong to other tasks by now (a snapshot older than 60 s, a held service), so only DNS
   * names may be used (docs/registry.md).
   */
  readonly addressesFresh: boolean;
}

/** One step of what is served: only what changed, at one revision. */
export interface ServicesChange {
  readonly revision: string;
  readonly sequence: number;
  readonly registryId: string;
  readonly changes: ReadonlyMap<ServiceKey, ServedService | undefined>;
  /** Definitions set aside at this revision, each with its problems: the whole list. */
  readonly rejected: ReadonlyMap<ServiceKey, readonly Problem[]>;
}

/** How the proxy stands with the registry; `/v1/status` shows it. */
export type FollowState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'following'; readonly sinceMs: number }
  /** Serves the last known definitions. `from`: their source. */
  | {
      readonly kind: 'away';
      readonly sinceMs: number;
      readonly error: string;
      readonly from: 'memory' | 'snapshot' | 'nothing';
    }
  /** Keys vanished without a journal entry, or the registry is another one: held until `reload?force=true`. */
  | {
      readonly kind: 'holding';
      readonly sinceMs: number;
      readonly reason: 'mass-loss' | 'head-missing' | 'other-registry';
      readonly held: number;
    };
