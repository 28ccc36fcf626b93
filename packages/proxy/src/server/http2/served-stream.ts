/** A stream as a request uses it: of the own session, or of node:http2 for comparison. See `Http2Stream` for each member. */
export interface ServedStream {
  context: unknown;
  isTunnel: boolean;
  readonly closed: boolean;
  readonly remoteEnded: boolean;
  readonly localEnded: boolean;
  readonly awaitsWindow: boolean;
  readonly sentBytes: number;
  readonly rivals: number;
  sendHead(status: number, flat: readonly string[], endStream: boolean): boolean;
  sendInterim(status: number, flat: readonly string[]): boolean;
  sendData(bytes: Uint8Array, from: number, to: number, endStream: boolean): boolean;
  sendTrailers(flat: readonly string[]): boolean;
  reset(errorCode: number): void;
  consumed(bytes: number): void;
}
