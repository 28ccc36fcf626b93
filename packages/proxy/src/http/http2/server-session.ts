import { faults } from './faults.ts';
import { clientPreface, ErrorCode, most31Bits } from './frames.ts';
import type { DecodedFields } from './hpack/decoder.ts';
import { isRefused, type RefusedRequest, type RequestHead, validateRequest } from './message-head.ts';
import { Http2Session } from './session.ts';
import { isMalformed, type ServerEvents } from './session-events.ts';
import { defaultSessionOptions, type SessionOptions } from './session-options.ts';
import { Http2Stream } from './stream.ts';

/** The PING that follows the first GOAWAY of a drain: its acknowledgement shows that the peer has received both. */
const drainPing = Buffer.from('draining', 'latin1');

/** The server's side of a connection. Reads the client's preface itself (RFC 9113, section 3.4). See `Http2Session`. */
export class Http2ServerSession extends Http2Session {
  readonly #events: ServerEvents;
  #prefaceRead = 0;
  /** The highest stream that the client opened. */
  #lastStream = 0;
  /** Identifiers that the client left out at last: they are closed without having been open. */
  #skippedFrom = 0;
  #skippedTo = 0;
  /** The last stream id of the GOAWAY: streams above it are not processed. */
  #acceptedUpTo = most31Bits;
  #finalGoaway = false;
  /** The stream whose request is being refused. */
  #refusing: Http2Stream | undefined = undefined;

  constructor(events: ServerEvents, options: Partial<SessionOptions> = {}) {
    super('server', events, { ...defaultSessionOptions, ...options });
    this.#events = events;
    this.start();
  }

  override read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (this.#prefaceRead < clientPreface.length && at < end && !this.closed) {
      if (bytes[at++] === clientPreface[this.#prefaceRead]) this.#prefaceRead++;
      else this.fault(faults.preface);
    }
    super.read(bytes, at, end);
  }

  /** The client's preface is complete. */
  get prefaceDone(): boolean {
    return this.#prefaceRead === clientPreface.length;
  }

  /**
   * Ends the connection when its streams have ended. New streams are taken until the client is known to have received
   * GOAWAY (RFC 9113, section 6.8). `immediately`: those that arrive from now on are not processed, and the client sends
   * them elsewhere; for a client that does not respond in time, a second call.
   */
  drain(immediately = false): void {
    if (this.closed || this.#finalGoaway) return;
    if (!this.draining) {
      this.draining = true;
      if (!immediately) {
        this.sender.output.goaway(most31Bits, ErrorCode.noError, '');
        this.sender.output.ping(false, drainPing, 0);
      }
    }
    if (immediately) this.#endDrain();
  }

  #endDrain(): void {
    this.#finalGoaway = true;
    this.#acceptedUpTo = this.#lastStream;
    this.sender.output.goaway(this.#lastStream, ErrorCode.noError, '');
    this.settleDrain();
  }

  protected override get mayEnd(): boolean {
    return this.#finalGoaway;
  }

  protected override get lastPeerStream(): number {
    return Math.min(this.#lastStream, this.#acceptedUpTo);
  }

  protected override isIdle(stream: number): boolean {
    return stream > this.#lastStream || (stream & 1) === 0;
  }

  protected override isIgnored(stream: number): boolean {
    return stream > this.#acceptedUpTo;
  }

  protected override pong(payload: Buffer): void {
    if (this.draining && !this.#finalGoaway && payload.equals(drainPing)) this.#endDrain();
    else this.#events.onPong(payload);
  }

  /** Work is in vain that the client cancels before it got anything of the response, or without having let it through. */
  protected override chargeReset(stream: Http2Stream): boolean {
    const isHeld = stream.queue !== undefined && (stream.sendWindow <= 0 || this.sender.window <= 0);
    const gotResponse = stream.endSent || (stream.sentBytes > 0 && !isHeld);
    return gotResponse || this.budgets.wasted();
  }

  /**
   * A whole response before the request has ended makes the rest of it useless: the stream is reset, without an
   * error (RFC 9113, section 8.1). A tunnel's sides end each by itself.
   */
  override onLocalEnd(stream: Http2Stream): void {
    super.onLocalEnd(stream);
    if (stream.closed || stream.isTunnel || stream === this.#refusing) return;
    this.budgets.completed();
    this.resetStream(stream, ErrorCode.noError);
  }

  override goawayFrame(lastStream: number, errorCode: number, debug: string): void {
    if (this.charge()) this.#events.onGoaway(lastStream, errorCode, debug);
  }

  override headersFrame(id: number, endStream: boolean, fields: DecodedFields): void {
    const open = this.streams?.get(id);
    if (open !== undefined) this.trailers(open, endStream, fields);
    else if ((id & 1) === 0) this.fault(faults.streamIdentifier);
    else if (id <= this.#lastStream) this.#lateHeaders(id);
    else if (this.isIgnored(id)) this.charge();
    else {
      if (id > this.#lastStream + 2) {
        this.#skippedFrom = this.#lastStream + 1;
        this.#skippedTo = id;
      }
      this.#lastStream = id;
      this.#request(id, endStream, fields);
    }
  }

  /** Fields on a closed stream (RFC 9113, sections 5.1 and 5.1.1). */
  #lateHeaders(id: number): void {
    if (this.resets.has(id)) this.charge();
    else this.fault(id > this.#skippedFrom && id < this.#skippedTo ? faults.streamIdentifier : faults.closedStream);
  }

  #request(id: number, endStream: boolean, fields: DecodedFields): void {
    if (this.openStreams >= this.options.maxConcurrentStreams) {
      this.rst(id, ErrorCode.refusedStream);
      // A client that has not received the limit yet may exceed it.
      if (this.settingsAcknowledged) this.chargeWasted();
      return;
    }
    const stream = new Http2Stream(id, this);
    stream.headReceived = true;
    stream.remoteEnded = endStream;
    const head = validateRequest(fields, {
      maxFields: this.options.maxFields,
      connectProtocol: this.options.enableConnectProtocol,
    });
    this.open(stream);
    if (isRefused(head)) this.#refuse(stream, head);
    else if (endStream && head.contentLength > 0) this.#refuse(stream, mismatch(head));
    else {
      stream.isHead = head.method === 'HEAD';
      stream.isTunnel = head.method === 'CONNECT';
      stream.expectedBytes = head.contentLength;
      this.#events.onRequest(stream, head, endStream);
    }
  }

  /** Lets the handler respond, and resets what is left of the stream. */
  #refuse(stream: Http2Stream, refused: RefusedRequest): void {
    this.#refusing = stream;
    this.#events.onRefused(stream, refused);
    this.#refusing = undefined;
    const responded = stream.closed || stream.localEnded;
    const malformed = isMalformed(refused.error);
    if (!stream.closed) {
      const errorCode = malformed ? ErrorCode.protocolError : responded ? ErrorCode.noError : ErrorCode.enhanceYourCalm;
      this.resetStream(stream, errorCode);
    } else if (malformed) this.rst(stream.id, ErrorCode.protocolError);
    this.chargeWasted();
  }
}

function mismatch(head: RequestHead): RefusedRequest {
  return { error: lengthMismatch, method: head.method, authority: head.authority, path: head.path };
}

const lengthMismatch = Object.freeze({ response: 'bad-request', cause: faults.bodyLength.cause } as const);
