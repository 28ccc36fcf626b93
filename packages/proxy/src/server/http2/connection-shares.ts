/** What the socket reads at most at once: libuv's buffer. */
export const fullChunkBytes = 65_536;
/** Pieces in which a chunk is read, and frames after which the rest of it waits for the next turn of the event loop. */
export const sliceBytes = 4_096;
export const ownSliceBytes = 1_024;
export const mostFramesInTurn = 1_024;
/** Streams that are acted upon before the others wait for the next turn: each may be a write to an endpoint. */
export const mostSettledInTurn = 32;
/** The same of a connection that had more than this to do before, and so goes on in turns of its own. */
export const mostFramesInOwnTurn = 256;
export const mostSettledInOwnTurn = 8;
/** Where so much output waits to be written, bodies wait at their endpoints. */
export const mostOutputBytes = 262_144;
/** Where so much waits, of heads too, nothing more is read: a client that reads no responses gets no more of them. */
export const mostUnreadBytes = 1_048_576;
/** How long a client may take to show that it has the first GOAWAY. */
export const drainResponseMs = 1_000;
/** A connection that was ended for a flood stays open for so long, unread: its client cannot go on over another one at once. */
export const floodPauseMs = 1_000;
