import type { Running } from '@swarmgate/runtime';

/** What replicas send to each other: hints, which may be wrong or old. A wrong hint must do no harm. */
export type Hint =
  /** The journal of that registry has come to this sequence. */
  | { readonly kind: 'sequence'; readonly registryId: string; readonly sequence: number }
  /** Requests showed that this endpoint fails. */
  | { readonly kind: 'ejected'; readonly endpointId: string }
  | ({ readonly kind: 'traffic' } & LiveTraffic);

/** What passes through one replica. */
export interface LiveTraffic {
  readonly requestsPerSecond: number;
  readonly inFlight: number;
}

export interface ReceivedHint {
  readonly replica: string;
  readonly hint: Hint;
}

/** Carries hints among the replicas of one instance, at once or not at all. */
export interface ClusterBus extends Running {
  /** Never waits and never throws: what cannot be sent now is dropped and counted. */
  publish(hint: Hint): void;
  /** Hints of others; one's own are not among them. Returns the way to stop it. */
  subscribe(listener: (received: ReceivedHint) => void): () => void;
  counts(): BusCounts;
}

export interface BusCounts {
  /** Receives its own messages: the connection works. */
  readonly connected: boolean;
  readonly sent: number;
  /** Not sent: no connection, a Redis that does not respond, or too many. */
  readonly unsent: number;
  readonly received: number;
  /** Received and dropped: too long, too many, or invalid. */
  readonly refused: number;
}
