import type { SwarmView } from './swarm-view.ts';

/** What was seen, handed on at once and in order. */
export interface Observation {
  readonly view: SwarmView;
  /** Ids of the services that may be different now. */
  readonly changed: 'all' | ReadonlySet<string>;
  /** Only a listing says what does not exist; the others speak of the services they name. */
  readonly cause: 'listing' | 'event' | 'tasks';
  /** When the first event behind it came, epoch milliseconds. */
  readonly eventAtMs?: number;
}

export type ObserverState =
  /** Docker has not answered yet, or not any more. Times are epoch milliseconds. */
  | {
      readonly kind: 'away';
      readonly sinceMs: number;
      readonly answeredAtMs: number | undefined;
      readonly reason: string;
    }
  /** `answeredAtMs`: when Docker last answered a read. */
  | { readonly kind: 'following'; readonly swarmId: string; readonly answeredAtMs: number };

export interface ObserverCounts {
  readonly events: number;
  readonly listings: number;
  readonly inspects: number;
  readonly taskListings: number;
  readonly reconnects: number;
}
