import type { Rate } from './budget.ts';
import { defaultTableBytes } from './hpack/decoder.ts';

/** What a session announces and what it bounds. */
export interface SessionOptions {
  /** Decoded size of a head or trailer section (RFC 9113, section 6.5.2). Default 32,768. Larger ones get 431. */
  readonly maxHeadBytes: number;
  /** Fields of a head, cookies joined. Default 100. More get 431. */
  readonly maxFields: number;
  /** Streams that the peer may have open at once. Default 100. More get REFUSED_STREAM. */
  readonly maxConcurrentStreams: number;
  /** Receive window of each stream. Default 262,144. */
  readonly streamWindowBytes: number;
  /** Receive window of the connection. Default 1,048,576. At least 65,535. */
  readonly connectionWindowBytes: number;
  /** The table that the peer's encoder may use. Default 4,096. */
  readonly headerTableBytes: number;
  /** Announce extended CONNECT (RFC 8441). Default `false`. A server only. */
  readonly enableConnectProtocol: boolean;
  /** CONTINUATION frames of one field block. Default 16. */
  readonly maxContinuations: number;
  /**
   * Streams that the peer opened and spoiled: reset before any of the response was sent, or brought to an error (rapid
   * reset, made-you-reset). A completed stream gives one back. Default 200 and 50 a second.
   */
  readonly wastedStreams: Rate;
  /**
   * Frames that cost work and carry no message: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, unknown types.
   * DATA in either direction and new streams give some back. Default 1,000 and 500 a second.
   */
  readonly controlFrames: Rate;
  /** Replies to control frames, RST_STREAM among them, that may wait for the peer to read. Default 2,000. */
  readonly maxUnreadReplies: number;
  /**
   * Where so many bytes of output wait to be taken, `sendData` returns `false`, as for the peer's window: `onWindow` follows
   * when `resumeData` is called after a write. Default: unbounded.
   */
  readonly maxOutputBytes: number;
  /** Whether the peer takes less than is written: what it is given beyond `maxOutputBytes` then waits in its stream. */
  readonly isSlow: () => boolean;
  /** Streams that a client opens before the peer's SETTINGS arrived. Default 100 (RFC 9113, section 6.5.2). */
  readonly initialStreams: number;
  /** Milliseconds of a clock that never goes back: only for the rates above. */
  readonly now: () => number;
}

export const defaultSessionOptions: SessionOptions = {
  maxHeadBytes: 32_768,
  maxFields: 100,
  maxConcurrentStreams: 100,
  streamWindowBytes: 262_144,
  connectionWindowBytes: 1_048_576,
  headerTableBytes: defaultTableBytes,
  enableConnectProtocol: false,
  maxContinuations: 16,
  wastedStreams: { burst: 200, perSecond: 50 },
  controlFrames: { burst: 1_000, perSecond: 500 },
  maxUnreadReplies: 2_000,
  maxOutputBytes: Number.POSITIVE_INFINITY,
  isSlow: () => true,
  initialStreams: 100,
  now: () => performance.now(),
};
