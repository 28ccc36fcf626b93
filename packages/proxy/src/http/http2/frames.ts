/** Numbers of the wire format (RFC 9113, sections 4, 6 and 7). */

/** Frame types (RFC 9113, section 6). Types that are not listed are ignored (section 4.1). */
export const Frame = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = {
  /** SETTINGS and PING. */
  ack: 0x1,
  endStream: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** Settings (RFC 9113, section 6.5.2; RFC 8441, section 3). */
export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;

/** Error codes of RST_STREAM and GOAWAY (RFC 9113, section 7). */
export const ErrorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

/** Length of a frame's header in bytes (RFC 9113, section 4.1). */
export const frameHeaderBytes = 9;

/** The smallest and initial SETTINGS_MAX_FRAME_SIZE in bytes. This side never announces another one. */
export const defaultFrameBytes = 16_384;

/** The initial flow-control window of a stream and of the connection in bytes (RFC 9113, section 6.9.2). */
export const defaultWindowBytes = 65_535;

/** The largest flow-control window, and the largest stream identifier. */
export const most31Bits = 0x7fff_ffff;

/** What a client sends first (RFC 9113, section 3.4). A SETTINGS frame follows. */
export const clientPreface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** `part`: so far the bytes are those of the preface, which is longer. */
export function prefaceAtStart(bytes: Buffer): 'whole' | 'part' | 'none' {
  const length = Math.min(bytes.length, clientPreface.length);
  if (bytes[0] !== clientPreface[0] || bytes.compare(clientPreface, 0, length, 0, length) !== 0) return 'none';
  return length < clientPreface.length ? 'part' : 'whole';
}
