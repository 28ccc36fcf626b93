import type { SwarmView } from './swarm-view.ts';

/** One change of the view, delivered in order. */
export interface Observation {
  readonly view: SwarmView;
  /** Ids of the services that may be different now. */
  readonly changed: 'all' | ReadonlySet<string>;
  /** Only a `listing` proves what does not exist; the others cover the services in `changed`. */
  readonly cause: 'listing' | 'event' | 'tasks';
  /** When the first event that led to it arrived, by `performance.now()`. */
  readonly eventAtMs?: number;
}

export type ObserverState =
  /** Docker does not respond. Times are epoch milliseconds. */
  | {
      readonly kind: 'away';
      readonly sinceMs: number;
      readonly answeredAtMs: number | undefined;
      readonly reason: string;
    }
  /** `respondedAtMs`: when Docker last responded to a read. */
  | { readonly kind: 'following'; readonly swarmId: string; readonly answeredAtMs: number };

export interface ObserverCounts {
  readonly events: number;
  readonly listings: number;
  readonly inspects: number;
  readonly taskListings: number;
  readonly reconnects: number;
}
