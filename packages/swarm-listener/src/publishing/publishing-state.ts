import type { TranslatedService } from '../labels/translate-service.ts';
import type { Evidence, Judgement } from './listing-guard.ts';
import type { Registered } from './registered-services.ts';

/** What the services of the Swarm request. The last one set wins. */
export interface DesiredState {
  readonly services: ReadonlyMap<string, TranslatedService>;
  /** Names that may differ from the state before. */
  readonly changed: 'all' | ReadonlySet<string>;
  readonly evidence: Evidence;
  readonly fromListing: boolean;
  /** By `performance.now()`. */
  readonly eventAtMs?: number;
}

export interface PublisherStatus {
  readonly leading: boolean;
  /** The whole desired state was registered at least once, by this listener or, on a standby, by the leader. */
  readonly reconciled: boolean;
  /** `unknown`: not read yet; `empty`: new or lost; `known`: its content was read. */
  readonly registry: Registered['kind'];
  readonly judgement: Judgement;
  /** Why the last attempt failed; absent if it succeeded. */
  readonly failure?: string;
  readonly publications: number;
  /** Number of services that wait to be written or are being written. */
  readonly waiting: number;
}
