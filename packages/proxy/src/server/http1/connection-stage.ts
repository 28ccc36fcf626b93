/** What a connection does with what its client sends. */
export type Stage =
  /** Between requests, or in the middle of a head. */
  | 'reading-head'
  | 'exchange'
  | 'tunnel'
  /** The last response is out; what still comes is read and dropped so that a reset does not destroy the response. */
  | 'closing'
  | 'closed';

/** How long the client of a tunnel that is over may take to close, in milliseconds. */
export const lingerMs = 2_000;
/** While draining, a connection that has been idle for so long is closed: its client is not about to send. */
export const drainIdleMs = 1_000;
/** Requests without an endpoint's part that are served before others have their turn, however many are pipelined. */
export const mostHeadsInTurn = 4;
/** A longer head is read in a turn of its own. */
export const longHeadBytes = 4_096;
/** What a piece of a head that does not complete it counts at least: it costs the same, however small it is. */
export const headPieceBytes = 16_384;
