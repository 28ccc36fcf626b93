import { faults } from './faults.ts';
import { clientPreface, ErrorCode, most31Bits } from './frames.ts';
import type { DecodedFields } from './hpack/decoder.ts';
import { type ResponseHead, validateResponse } from './message-head.ts';
import { Http2Session } from './session.ts';
import type { ClientEvents } from './session-events.ts';
import { defaultSessionOptions, type SessionOptions } from './session-options.ts';
import { Http2Stream } from './stream.ts';

/** What is sent first of a request. */
export interface RequestLine {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly path: string;
  /** `:protocol` of an extended CONNECT (RFC 8441): only where `peer.connectProtocol`. */
  readonly protocol?: string;
}

/**
 * The client's side of a connection, to an endpoint. See `Http2Session`. Sends the preface with its SETTINGS at once;
 * requests may follow before the endpoint's SETTINGS arrive.
 */
export class Http2ClientSession extends Http2Session {
  readonly #events: ClientEvents;
  #nextStream = 1;
  /** The lowest identifier that a GOAWAY of the peer gave. */
  #goaway = most31Bits;
  #firstUnsent = 1;

  constructor(events: ClientEvents, options: Partial<SessionOptions> = {}) {
    super('client', events, { ...defaultSessionOptions, ...options });
    this.#events = events;
    this.sender.output.copy(clientPreface, 0, clientPreface.length);
    this.start();
  }

  /** How many requests may be sent now: 0 where the peer's limit is reached, or the connection ends. */
  get capacity(): number {
    if (this.closed || this.draining || this.#nextStream > most31Bits) return 0;
    return Math.max(0, this.peer.maxConcurrentStreams - this.openStreams);
  }

  /**
   * Sends a request's head. `flat` is name, value, name, value, without Host and connection-specific fields.
   * @returns `undefined` without `capacity`, or where a name or value may not be sent.
   */
  request(line: RequestLine, flat: readonly string[], endStream: boolean): Http2Stream | undefined {
    if (this.capacity === 0) return undefined;
    const { method, scheme, authority, path, protocol } = line;
    const pseudo = [':method', method];
    if (method !== 'CONNECT' || protocol !== undefined) pseudo.push(':scheme', scheme, ':path', path);
    // A request of HTTP/1.0 may name none (RFC 9113, section 8.3.1).
    if (authority !== '') pseudo.push(':authority', authority);
    if (protocol !== undefined) pseudo.push(':protocol', protocol);
    const id = this.#nextStream;
    if (!this.sender.fieldBlock(id, 0, flat, 'head', endStream, pseudo)) return undefined;
    this.#nextStream += 2;
    const stream = new Http2Stream(id, this);
    stream.headSent = true;
    stream.isHead = method === 'HEAD';
    stream.localEnded = endStream;
    stream.endSent = endStream;
    this.open(stream);
    return stream;
  }

  /** All that `takeOutput` gave is on its way. */
  outputSent(): void {
    this.#firstUnsent = this.#nextStream;
  }

  protected override get firstUnsent(): number {
    return this.#firstUnsent;
  }

  /** Sends no more requests, and reports when the last has its response. */
  drain(): void {
    if (this.closed || this.draining) return;
    this.draining = true;
    this.sender.output.goaway(0, ErrorCode.noError, '');
    this.settleDrain();
  }

  protected override get mayEnd(): boolean {
    return true;
  }

  /** Push is disabled: a server opens no streams. */
  protected override get lastPeerStream(): number {
    return 0;
  }

  protected override isIdle(stream: number): boolean {
    return stream >= this.#nextStream || (stream & 1) === 0;
  }

  protected override isIgnored(): boolean {
    return false;
  }

  protected override pong(payload: Buffer): void {
    this.#events.onPong(payload);
  }

  /** An endpoint's resets count for its health, not in the session. */
  protected override chargeReset(): boolean {
    return true;
  }

  override goawayFrame(lastStream: number, errorCode: number, debug: string): void {
    if (lastStream > this.#goaway) {
      this.fault(faults.goawayGrew);
      return;
    }
    this.#goaway = lastStream;
    this.draining = true;
    for (const stream of this.allStreams()) {
      if (stream.id > lastStream) this.endStream(stream, ErrorCode.refusedStream, 'goaway', true);
    }
    this.#events.onGoaway(lastStream, errorCode, debug);
    this.settleDrain();
  }

  override headersFrame(id: number, endStream: boolean, fields: DecodedFields): void {
    const stream = this.streams?.get(id);
    if (stream === undefined) {
      if (this.isIdle(id)) this.fault(faults.idleStream);
      else if (this.resets.has(id)) this.charge();
      else this.fault(faults.closedStream);
    } else if (stream.headReceived || stream.remoteEnded) this.trailers(stream, endStream, fields);
    else this.#response(stream, endStream, fields);
  }

  #response(stream: Http2Stream, endStream: boolean, fields: DecodedFields): void {
    if (fields.exceeded) {
      this.streamFault(stream, faults.headTooLarge);
      return;
    }
    const head = validateResponse(fields, this.options.maxFields);
    if (head === undefined || (head.status < 200 && endStream)) {
      this.streamFault(stream, faults.malformed);
      return;
    }
    if (head.status < 200) {
      if (this.charge()) this.#events.onInterim(stream, head);
      return;
    }
    stream.headReceived = true;
    stream.expectedBytes = expectedBytes(stream, head);
    if (endStream && stream.expectedBytes > 0) {
      this.streamFault(stream, faults.bodyLength);
      return;
    }
    stream.remoteEnded = endStream;
    this.#events.onResponse(stream, head, endStream);
    if (!stream.closed && endStream && stream.endSent) this.complete(stream);
  }
}

/** The body's length by `content-length`, if the response may have a body (RFC 9110, section 6.4.1). */
function expectedBytes(stream: Http2Stream, head: ResponseHead): number {
  return stream.isHead || head.status === 204 || head.status === 304 ? 0 : head.contentLength;
}
