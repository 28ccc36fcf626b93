/** Durations of one exchange. All in milliseconds, but for the rate. */
export interface ForwardTimeouts {
  /** Until a connection to an endpoint is open. */
  readonly connectMs: number;
  /** Silence of the endpoint: before its head, and between two pieces of its body. */
  readonly serverMs: number;
  /** Silence of the client in the middle of its body, or while it does not read what it is sent. */
  readonly clientMs: number;
  /** Silence of both sides of a tunnel. */
  readonly tunnelMs: number;
  /** Least rate of a request body in bytes a second, averaged over `clientMs`. Default 0: any. */
  readonly bodyBytesPerSecond?: number;
}
