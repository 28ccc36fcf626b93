import { ErrorCode } from './frames.ts';

/**
 * A violation of RFC 9113 or of a limit by the peer. `connection` faults end the connection with GOAWAY (section 5.4.1),
 * `stream` faults end one stream with RST_STREAM (section 5.4.2).
 */
export interface Fault {
  readonly scope: 'connection' | 'stream';
  /** One of `ErrorCode`: goes on the wire. */
  readonly errorCode: number;
  /** What exactly was wrong: stable, for logs and metrics, and GOAWAY's debug data. */
  readonly cause: string;
}

function connection(errorCode: number, cause: string): Fault {
  return Object.freeze({ scope: 'connection', errorCode, cause });
}

function stream(errorCode: number, cause: string): Fault {
  return Object.freeze({ scope: 'stream', errorCode, cause });
}

const { protocolError, flowControlError, streamClosed, frameSizeError, compressionError, enhanceYourCalm } = ErrorCode;

/** Sections of RFC 9113 unless another one is named. */
export const faults = {
  /** 3.4. */
  preface: connection(protocolError, 'bad-preface'),
  /** 3.4: the first frame is SETTINGS. */
  settingsFirst: connection(protocolError, 'settings-not-first'),
  /** 4.2. */
  frameTooLarge: connection(frameSizeError, 'frame-too-large'),
  /** 4.2 and section 6 of each type with a fixed length. */
  frameSize: connection(frameSizeError, 'frame-size'),
  /** 6.3. */
  prioritySize: stream(frameSizeError, 'priority-size'),
  /** 5.1.1 and section 6 of each type: on stream 0, or off it. */
  wrongStream: connection(protocolError, 'wrong-stream-identifier'),
  /** 5.1.1: even from a client, or lower than one before. */
  streamIdentifier: connection(protocolError, 'bad-stream-identifier'),
  /** 5.1: a frame other than HEADERS and PRIORITY on a stream that was never opened. */
  idleStream: connection(protocolError, 'idle-stream'),
  /** 5.1: HEADERS or DATA after the end of a stream. */
  closedStream: connection(streamClosed, 'closed-stream'),
  /** 5.1: HEADERS or DATA after END_STREAM while the response is not complete, or after the peer's RST_STREAM. */
  halfClosedStream: stream(streamClosed, 'half-closed-stream'),
  /** 6.1 and 6.2. */
  padding: connection(protocolError, 'bad-padding'),
  /** 6.10: another frame within a field block. */
  continuationExpected: connection(protocolError, 'continuation-expected'),
  /** 6.10. */
  continuationUnexpected: connection(protocolError, 'continuation-unexpected'),
  /** 4.3. */
  compression: connection(compressionError, 'bad-field-block'),
  /** 6.5.2. */
  settingValue: connection(protocolError, 'bad-setting'),
  /** 6.5.2. */
  initialWindow: connection(flowControlError, 'bad-initial-window'),
  /** 6.5.3: an acknowledgement for which no SETTINGS was sent. */
  settingsAck: connection(protocolError, 'settings-ack-unexpected'),
  /** 8.4: push is disabled, or comes from a client. */
  push: connection(protocolError, 'push'),
  /** 6.9. */
  zeroIncrement: connection(protocolError, 'window-increment-zero'),
  zeroStreamIncrement: stream(protocolError, 'window-increment-zero'),
  /** 6.9.1: over 2^31-1. */
  windowOverflow: connection(flowControlError, 'window-overflow'),
  streamWindowOverflow: stream(flowControlError, 'window-overflow'),
  /** 6.9: more DATA than the window allows. */
  windowExceeded: connection(flowControlError, 'window-exceeded'),
  streamWindowExceeded: stream(flowControlError, 'window-exceeded'),
  /** 6.8: GOAWAY's identifier may not grow. */
  goawayGrew: connection(protocolError, 'goaway-identifier-grew'),
  /** 8.1: DATA before the head, or fields behind the body without END_STREAM. */
  dataBeforeHead: stream(protocolError, 'data-before-head'),
  trailersWithoutEnd: stream(protocolError, 'trailers-without-end'),
  /** 8.1.1: the body's length differs from `content-length`. */
  bodyLength: stream(protocolError, 'content-length-mismatch'),
  /** 8.1.1: a malformed trailer section or response. */
  malformed: stream(protocolError, 'malformed'),
  /** 10.5.1. */
  headTooLarge: stream(protocolError, 'head-too-large'),
  /** 5.1.2: more streams than SETTINGS_MAX_CONCURRENT_STREAMS. */
  tooManyStreams: stream(ErrorCode.refusedStream, 'too-many-streams'),
  /** 10.5: limits of this proxy on work without worth. */
  fieldBlockTooLarge: connection(enhanceYourCalm, 'field-block-too-large'),
  tooManyContinuations: connection(enhanceYourCalm, 'too-many-continuations'),
  wastedStreams: connection(enhanceYourCalm, 'too-many-wasted-streams'),
  controlFlood: connection(enhanceYourCalm, 'too-many-control-frames'),
  unreadReplies: connection(enhanceYourCalm, 'too-many-unread-replies'),
} as const;
