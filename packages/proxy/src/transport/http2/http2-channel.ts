import { allowedTrailers } from '../../http/chunked-reader.ts';
import { lowered } from '../../http/http2/field-lines.ts';
import { ErrorCode } from '../../http/http2/frames.ts';
import type { HeaderField } from '../../http/http2/header-field.ts';
import { type Http2RequestHead, http2RequestHead } from '../../http/http2/http1-heads.ts';
import type { ResponseHead } from '../../http/http2/message-head.ts';
import type { StreamReset } from '../../http/http2/session-events.ts';
import type { Http2Stream } from '../../http/http2/stream.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { DeadlineSweep, Timed } from '../deadline-sweep.ts';
import type { ConnectionFault, EndpointChannel, ResponseReceiver, TunnelReceiver } from '../endpoint-channel.ts';
import type { OutgoingRequest } from '../outgoing-request.ts';
import { ResponseSilence } from '../response-silence.ts';
import { acceptedUpgrade, extendedConnect } from './extended-connect.ts';
import { ResponseAssembly } from './response-assembly.ts';

/** The connection that a channel's stream is on. */
export interface ChannelConnection {
  /** The endpoint announced extended CONNECT (RFC 8441). */
  readonly takesUpgrades: boolean;
  /** Requests that it has completed. */
  readonly served: number;
  /** Opens a stream. `undefined`: the head cannot be sent. */
  open(channel: Http2Channel, head: Http2RequestHead, endStream: boolean): Http2Stream | undefined;
  /** What is being read is still in use afterwards. */
  hold(): void;
  /** `settle` is to be called when all that was received has been read. */
  touch(channel: Http2Channel): void;
  /** A channel is done with. Called once for each. */
  release(completed: boolean): void;
}

/** Where a channel waits for a connection. */
export interface ChannelQueue {
  readonly sweep: DeadlineSweep;
  leave(channel: Http2Channel): void;
  onFault(error: unknown): void;
}

/** How long an endpoint may go on sending to a tunnel's client that is gone, in milliseconds. */
const lingerMs = 2_000;

/** One request on its way over one stream of HTTP/2 (RFC 9113, section 8.1), at first perhaps without a connection. */
export class Http2Channel implements EndpointChannel, Timed {
  readonly endpoint: Endpoint;
  readonly #queue: ChannelQueue;
  readonly #silence: ResponseSilence;
  #connection: ChannelConnection | undefined;
  #stream: Http2Stream | undefined;
  #request: OutgoingRequest | undefined;
  #receiver: ResponseReceiver | undefined;
  #tunnel: TunnelReceiver | undefined;
  #response: ResponseAssembly | undefined;
  /** What was written before there was a stream. */
  #early: Buffer[] = [];
  #requestDone = false;
  #released = false;
  #paused = false;
  /** Received while paused: the endpoint may not send as many again before the client has taken them. */
  #heldBytes = 0;
  sweepPlace = -1;
  responding = false;
  wasIdle = false;
  trailers = '';

  /** @param connectMs how long it may wait for a connection */
  constructor(endpoint: Endpoint, queue: ChannelQueue, connectMs: number) {
    this.endpoint = endpoint;
    this.#queue = queue;
    this.#silence = new ResponseSilence(queue.sweep, connectMs);
    queue.sweep.add(this);
  }

  get deadlineMs(): number {
    return this.#silence.deadlineMs;
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  get takesBody(): boolean {
    return this.#stream !== undefined && !this.#stream.awaitsWindow;
  }

  /** A connection has room for the stream, which is opened if its request is there. */
  attach(connection: ChannelConnection, wasIdle: boolean): void {
    this.#connection = connection;
    this.wasIdle = wasIdle;
    if (this.#request === undefined) return;
    this.#open(connection, this.#request);
    this.#receiver?.onConnected();
  }

  send(request: OutgoingRequest, receiver: ResponseReceiver): void {
    this.#receiver = receiver;
    this.#request = request;
    this.#requestDone = request.whole;
    if (this.#connection !== undefined) this.#open(this.#connection, request);
  }

  writeBody(bytes: Buffer, from: number, to: number): boolean {
    if (this.#stream === undefined) {
      this.#early.push(Buffer.from(bytes.subarray(from, to)));
      return false;
    }
    this.#expectBytes();
    return this.#stream.sendData(bytes, from, to, false);
  }

  endBody(trailers: string): void {
    this.#requestDone = true;
    if (this.#stream === undefined) this.#request = { ...(this.#request as OutgoingRequest), trailers };
    else this.#end(this.#stream, trailers);
  }

  pause(): void {
    this.#paused = true;
    this.#silence.expectNothing();
  }

  resume(): void {
    this.#paused = false;
    if (this.#tunnel === undefined) this.#expectBytes();
    const held = this.#heldBytes;
    this.#heldBytes = 0;
    if (held > 0) this.#stream?.consumed(held);
  }

  abandon(): void {
    this.#leave();
    this.#stream?.reset(ErrorCode.cancel);
    this.#release(false);
  }

  reset(): void {
    this.abandon();
  }

  beginTunnel(receiver: TunnelReceiver): void {
    this.#receiver = undefined;
    this.#tunnel = receiver;
    this.#silence.expectNothing();
  }

  writeTunnel(bytes: Buffer): boolean {
    return this.#stream?.sendData(bytes, 0, bytes.length, false) ?? true;
  }

  endTunnel(): void {
    this.#stream?.sendData(none, 0, 0, true);
    this.#settleTunnel();
  }

  closeTunnel(): void {
    this.endTunnel();
    this.resume();
    this.#silence.endIn(lingerMs);
  }

  // What the connection reports.

  onInterim(head: ResponseHead): void {
    this.responding = true;
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    this.#expectBytes();
    receiver.onInterim(head);
  }

  onResponse(head: ResponseHead, ended: boolean): void {
    this.responding = true;
    const receiver = this.#receiver;
    const request = this.#request;
    if (receiver === undefined || request === undefined) return;
    if (request.upgrade !== '' && head.status < 300 && !ended) {
      acceptedUpgrade(head, request, receiver);
      return;
    }
    this.#response = new ResponseAssembly(head, request.method, receiver);
    if (ended) this.#response.end();
    this.#connection?.touch(this);
  }

  onData(bytes: Buffer, from: number, to: number): void {
    if (this.#tunnel !== undefined) {
      if (this.#tunnel.onTunnelBytes(bytes, from, to)) this.#connection?.hold();
    } else if (this.#response !== undefined) {
      this.#response.add(bytes, from, to);
      if (this.#response?.takeInUse() === true) this.#connection?.hold();
      this.#connection?.touch(this);
    }
    if (this.#paused) this.#heldBytes += to - from;
    else this.#stream?.consumed(to - from);
  }

  onTrailers(fields: readonly HeaderField[]): void {
    for (const field of fields) this.trailers += field.line;
  }

  onEnd(): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.onTunnelEnd();
      this.#settleTunnel();
    } else if (this.#response !== undefined) {
      this.#response.end();
      this.#connection?.touch(this);
    }
  }

  /** What came with one read goes on in one piece. */
  settle(): void {
    const response = this.#response;
    if (response === undefined || this.#receiver === undefined) return;
    response.deliver();
    if (response.takeInUse()) this.#connection?.hold();
    if (this.#receiver === undefined) return;
    if (response.delivered) this.#finish();
    else if (!this.#paused) this.#expectBytes();
  }

  onReset(reset: StreamReset): void {
    this.settle();
    this.#break(faultOf(reset));
  }

  onWindow(): void {
    if (this.#tunnel !== undefined) this.#tunnel.onWritable();
    else this.#receiver?.onWritable();
  }

  /** No connection will come, or the one that there was has broken. */
  fail(fault: ConnectionFault): void {
    this.#break(fault);
  }

  onDeadline(): void {
    if (this.#connection === undefined) this.#break({ kind: 'connect-timeout' });
    else if (this.#tunnel !== undefined || this.#silence.isOver) {
      this.#stream?.reset(ErrorCode.cancel);
      this.#break({ kind: 'silent' });
    } else {
      this.#receiver?.onSilence(this.#silence.report());
    }
  }

  onFault(error: unknown): void {
    const owner = this.#tunnel ?? this.#receiver;
    this.abandon();
    if (owner === undefined) this.#queue.onFault(error);
    else owner.onFault(error);
  }

  #open(connection: ChannelConnection, request: OutgoingRequest): void {
    const scheme = this.endpoint.secure ? 'https' : 'http';
    let head =
      typeof request.head === 'string'
        ? http2RequestHead(request.head, scheme, request.wantsTrailers === true)
        : request.head;
    if (request.hostFor !== undefined)
      head = { ...head, line: { ...head.line, authority: request.hostFor(this.endpoint) } };
    if (request.upgrade !== '') {
      const connect = connection.takesUpgrades ? extendedConnect(head, request.upgrade) : undefined;
      if (connect === undefined) {
        this.#break({ kind: 'no-upgrades' });
        return;
      }
      head = connect;
    }
    const early = this.#early;
    this.#early = [];
    const ends = this.#requestDone && request.upgrade === '';
    const isEmpty = ends && request.firstBytes === '' && early.length === 0 && request.trailers === '';
    const stream = connection.open(this, head, isEmpty);
    if (stream === undefined) {
      this.#break({ kind: 'invalid', cause: 'unsendable-head' });
      return;
    }
    this.#stream = stream;
    this.#expectHead(this.#requestDone);
    if (isEmpty) return;
    if (request.firstBytes !== '') {
      const first = Buffer.from(request.firstBytes, 'latin1');
      stream.sendData(first, 0, first.length, ends && early.length === 0 && request.trailers === '');
    }
    for (const bytes of early) stream.sendData(bytes, 0, bytes.length, false);
    if (ends && !stream.localEnded) this.#end(stream, request.trailers);
  }

  #end(stream: Http2Stream, trailers: string): void {
    if (this.responding) this.#expectBytes();
    else this.#expectHead(true);
    const flat = trailers === '' ? [] : lowered(allowedTrailers(trailers));
    if (flat.length === 0 || !stream.sendTrailers(flat)) stream.sendData(none, 0, 0, true);
  }

  #finish(): void {
    this.#receiver = undefined;
    // An endpoint that responds before it has the whole request is sent no more of it.
    if (this.#stream?.endSent === false) this.#stream.reset(ErrorCode.cancel);
    this.#release(true);
  }

  #expectBytes(): void {
    if (this.#receiver !== undefined) this.#silence.expectBytes(this.#receiver.silenceMs);
  }

  #expectHead(whole: boolean): void {
    if (this.#receiver !== undefined) this.#silence.expectHead(this.#receiver.silenceMs, whole);
  }

  #settleTunnel(): void {
    const tunnel = this.#tunnel;
    if (tunnel === undefined || this.#stream?.remoteEnded !== true || !this.#stream.localEnded) return;
    this.#tunnel = undefined;
    this.#release(true);
    tunnel.onTunnelClosed();
  }

  #break(fault: ConnectionFault): void {
    const receiver = this.#receiver;
    const tunnel = this.#tunnel;
    this.#leave();
    this.#release(false);
    if (tunnel === undefined) receiver?.onBroken(fault);
    else tunnel.onTunnelClosed();
  }

  #leave(): void {
    this.#receiver = undefined;
    this.#tunnel = undefined;
    this.#response?.leave();
    this.#response = undefined;
  }

  #release(completed: boolean): void {
    if (this.#released) return;
    this.#released = true;
    this.#queue.sweep.remove(this);
    if (this.#connection === undefined) this.#queue.leave(this);
    else this.#connection.release(completed);
  }
}

function faultOf({ errorCode, origin, cause, unprocessed }: StreamReset): ConnectionFault {
  if (unprocessed) return { kind: 'unprocessed' };
  if (origin === 'peer' && errorCode === ErrorCode.http11Required) return { kind: 'wrong-protocol', spoken: 'http1' };
  if (origin === 'peer') return { kind: 'closed', error: new Error(`the stream was reset with code ${errorCode}`) };
  return cause === 'closed' ? { kind: 'closed', error: undefined } : { kind: 'invalid', cause };
}

const none = Buffer.alloc(0);
