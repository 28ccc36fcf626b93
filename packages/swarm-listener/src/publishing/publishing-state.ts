import type { TranslatedService } from '../labels/translate-service.ts';
import type { Evidence, Judgement } from './listing-guard.ts';
import type { Registered } from './registered-services.ts';

/** What the Swarm asks for now. The last one given wins. */
export interface Wanted {
  readonly services: ReadonlyMap<string, TranslatedService>;
  /** Names that may be different from the time before. */
  readonly changed: 'all' | ReadonlySet<string>;
  readonly evidence: Evidence;
  readonly fromListing: boolean;
  readonly eventAtMs?: number;
}

export interface PublisherStatus {
  readonly leading: boolean;
  /** Everything that is wanted was registered at least once, by us or, as a standby, by the leader. */
  readonly reconciled: boolean;
  /** What is known of it: nothing yet, that there is none (new or lost), or what stands in it. */
  readonly registry: Registered['kind'];
  readonly judgement: Judgement;
  /** Why the last attempt failed; absent when it did not. */
  readonly failure?: string;
  readonly publications: number;
  /** Names that wait to be written or are being written. */
  readonly waiting: number;
}
