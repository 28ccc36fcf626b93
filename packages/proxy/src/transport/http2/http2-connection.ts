import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { guard } from '@swarmgate/runtime';
import { Http2ClientSession } from '../../http/http2/client-session.ts';
import type { Http2RequestHead } from '../../http/http2/http1-heads.ts';
import type { ClientEvents } from '../../http/http2/session-events.ts';
import type { Http2Stream } from '../../http/http2/stream.ts';
import { defaultResponseLimits } from '../../http/response-head.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { DeadlineSweep, Timed } from '../deadline-sweep.ts';
import type { ConnectionFault, SpokenProtocol } from '../endpoint-channel.ts';
import { isLocalShortage } from '../local-shortage.ts';
import { openConnection, openedEvent } from '../open-connection.ts';
import { type TurnWriter, writeAtTurnEnd } from '../turn-end.ts';
import { writeTogether } from '../write-together.ts';
import type { ChannelConnection, Http2Channel } from './http2-channel.ts';
import { speaksNoTls, spokenInstead } from './spoken-protocol.ts';

export interface Http2ConnectionOwner {
  readonly sweep: DeadlineSweep;
  /** The endpoint's SETTINGS have arrived: streams can be opened. */
  onReady(connection: Http2Connection): void;
  /** A stream has ended, or the endpoint takes more of them. */
  onCapacity(connection: Http2Connection): void;
  /** Over. `fault`: it never became ready. */
  onClosed(connection: Http2Connection, fault: ConnectionFault | undefined): void;
  /** Ready after this many milliseconds. */
  onOpened(tookMs: number): void;
  onFault(error: unknown): void;
}

/** Streams at once on one connection, however many the endpoint allows: more go to a further connection. */
export const mostStreams = 100;
const readBufferBytes = 65_536;
const streamWindowBytes = 262_144;
const session = {
  maxHeadBytes: defaultResponseLimits.headBytes,
  maxFields: defaultResponseLimits.fields,
  streamWindowBytes,
  // All streams have their window at once: a client that does not read its response holds up no other one.
  connectionWindowBytes: mostStreams * streamWindowBytes,
};

/**
 * Silence of a connection with open streams after which it is probed for a sign of life by PING, in milliseconds. Servers of
 * gRPC end connections with more PINGs than one in 5 minutes (ENHANCE_YOUR_CALM).
 */
const silenceMs = 310_000;
/** How long it may take to send anything then, in milliseconds. */
const pongMs = 20_000;

/** How long an endpoint may take to close after GOAWAY, in milliseconds. */
const closingMs = 1_000;

/** One connection of HTTP/2 to an endpoint: moves bytes between its socket and the session, and keeps the deadlines. */
export class Http2Connection implements ChannelConnection, Timed, TurnWriter {
  readonly endpoint: Endpoint;
  deadlineMs: number;
  sweepPlace = -1;
  served = 0;
  ready = false;
  /** Requests that are on it, those included whose stream is not open yet. */
  outstanding = 0;
  readonly #owner: Http2ConnectionOwner;
  readonly #socket: Socket;
  readonly #session: Http2ClientSession;
  readonly #beganMs = performance.now();
  #spoken: SpokenProtocol | undefined;
  #error: Error | undefined;
  #connected = false;
  #timedOut = false;
  #pinged = false;
  #retired = false;
  #scheduled = false;
  #full = false;
  #closed = false;
  #swapBuffer = true;
  #touched: Http2Channel[] = [];

  constructor(endpoint: Endpoint, owner: Http2ConnectionOwner, connectMs: number) {
    this.endpoint = endpoint;
    this.#owner = owner;
    this.deadlineMs = owner.sweep.in(connectMs);
    this.#session = new Http2ClientSession(this.#events(), session);
    const onBytes = guard(this, (bytes: Buffer, length: number) => this.#onBytes(bytes, length));
    const onread = {
      // Called before the first read and after each: `undefined` keeps the buffer.
      buffer: (): Uint8Array => {
        if (!this.#swapBuffer) return undefined as unknown as Uint8Array;
        this.#swapBuffer = false;
        return Buffer.allocUnsafeSlow(readBufferBytes);
      },
      callback: (length: number, bytes: Uint8Array): boolean => {
        onBytes(bytes as Buffer, length);
        return true;
      },
    };
    const socket = openConnection(endpoint, { alpn: ['h2'], onread });
    this.#socket = socket;
    const on = <T extends unknown[]>(event: string, act: (...given: T) => void) =>
      socket.on(event, guard(this, act) as (...given: unknown[]) => void);
    on(openedEvent(endpoint.secure), () => this.#onConnected());
    on('end', () => this.#onEnd());
    on('drain', () => this.#onDrain());
    on('error', (error: Error) => {
      this.#error = error;
    });
    on('close', () => this.#onClose());
    owner.sweep.add(this);
  }

  /** How many more requests it takes now. */
  get capacity(): number {
    if (!this.ready || this.#retired || this.#closed) return 0;
    const reserved = this.outstanding - this.#session.openStreams;
    return Math.min(mostStreams - this.outstanding, this.#session.capacity - Math.max(0, reserved));
  }

  get takesUpgrades(): boolean {
    return this.#session.peer.connectProtocol;
  }

  /** Takes a request on, whose stream opens when it is sent. */
  take(channel: Http2Channel): void {
    const wasEmpty = this.outstanding === 0;
    const wasIdle = wasEmpty && this.served > 0;
    this.outstanding++;
    if (wasEmpty) this.#expectAnything();
    channel.attach(this, wasIdle);
  }

  open(channel: Http2Channel, head: Http2RequestHead, endStream: boolean): Http2Stream | undefined {
    const stream = this.#session.request(head.line, head.flat, endStream);
    if (stream !== undefined) stream.context = channel;
    return stream;
  }

  hold(): void {
    this.#swapBuffer = true;
  }

  touch(channel: Http2Channel): void {
    this.#touched.push(channel);
  }

  release(completed: boolean): void {
    this.outstanding--;
    if (completed) this.served++;
    if (this.#closed) return;
    if (this.capacity > 0) this.#owner.onCapacity(this);
    if (this.outstanding === 0 && this.#retired) this.close();
  }

  /** Nothing is on it: it closes unless it is used before. */
  closeIn(idleMs: number): void {
    this.deadlineMs = this.#owner.sweep.in(idleMs);
  }

  /** Takes no more requests, and closes after the last response. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    if (this.outstanding === 0) this.close();
  }

  /** Ends in order: GOAWAY, then the end of the connection. */
  close(): void {
    if (this.#closed) return;
    this.#retired = true;
    if (!this.ready) {
      this.#socket.destroy();
      return;
    }
    this.#session.drain();
    this.#end();
  }

  onDeadline(): void {
    const isOpen = this.ready && !this.#socket.writableEnded;
    if (isOpen && this.outstanding === 0) this.close();
    else if (isOpen && !this.#pinged) {
      this.#pinged = true;
      this.deadlineMs = this.#owner.sweep.in(pongMs);
      this.#session.ping(pingPayload);
    } else {
      this.#timedOut = !this.ready;
      this.#socket.destroy();
    }
  }

  onTurnEnd(): void {
    this.#flush();
  }

  onFault(error: unknown): void {
    this.#session.abort();
    this.#socket.destroy();
    this.#owner.onFault(error);
    // Where acting on `close` was the fault, no further event gives its place back.
    if (this.#socket.closed) this.#onClose();
  }

  #events(): ClientEvents {
    const channelOf = (stream: Http2Stream) => stream.context as Http2Channel;
    const guarded = (stream: Http2Stream, act: (channel: Http2Channel) => void) => {
      const channel = channelOf(stream);
      try {
        act(channel);
      } catch (error) {
        channel.onFault(error);
      }
    };
    return {
      onInterim: (stream, head) => guarded(stream, (channel) => channel.onInterim(head)),
      onResponse: (stream, head, ended) => guarded(stream, (channel) => channel.onResponse(head, ended)),
      onData: (stream, bytes, from, to) => guarded(stream, (channel) => channel.onData(bytes, from, to)),
      onTrailers: (stream, fields) => channelOf(stream).onTrailers(fields),
      onEnd: (stream) => guarded(stream, (channel) => channel.onEnd()),
      onReset: (stream, reset) => guarded(stream, (channel) => channel.onReset(reset)),
      onWindow: (stream) => guarded(stream, (channel) => channel.onWindow()),
      onOutput: () => this.#scheduleFlush(),
      onGoaway: () => this.#owner.onCapacity(this),
      onPong: () => undefined,
      onSettings: () => this.#onSettings(),
      onFault: () => {
        // The first frame is SETTINGS, and the endpoint sent something else.
        if (!this.ready) this.#spoken ??= 'none';
        this.#end();
      },
      onDrained: () => this.#end(),
    };
  }

  #onConnected(): void {
    this.#connected = true;
    if (this.#socket instanceof TLSSocket && this.#socket.alpnProtocol !== 'h2') {
      this.#spoken = this.#socket.alpnProtocol === 'http/1.1' ? 'http1' : 'none';
      this.#socket.destroy();
      return;
    }
    this.#flush();
  }

  #onSettings(): void {
    if (this.ready) {
      if (this.capacity > 0) this.#owner.onCapacity(this);
      return;
    }
    this.ready = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    // First, so that a fault of what follows finds the connection among those that are open.
    this.#owner.onReady(this);
    this.#owner.onOpened(performance.now() - this.#beganMs);
  }

  #onBytes(bytes: Buffer, length: number): void {
    if (!this.ready && this.#spoken === undefined) {
      this.#spoken = spokenInstead(bytes.subarray(0, length));
      if (this.#spoken !== undefined) {
        this.#socket.destroy();
        return;
      }
    }
    if (this.outstanding > 0) this.#expectAnything();
    this.#session.read(bytes, 0, length);
    if (this.#touched.length === 0) return;
    const touched = this.#touched;
    this.#touched = [];
    for (const channel of touched) {
      try {
        channel.settle();
      } catch (error) {
        channel.onFault(error);
      }
    }
  }

  #expectAnything(): void {
    if (!this.ready || this.#socket.writableEnded) return;
    this.#pinged = false;
    this.deadlineMs = this.#owner.sweep.in(silenceMs);
  }

  #onEnd(): void {
    this.#session.abort();
    this.#socket.destroySoon();
  }

  #onDrain(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#session.resumeData();
    this.#flush();
  }

  /** What is in the output leaves, then the connection ends. */
  #end(): void {
    if (this.#socket.writableEnded) return;
    if (!this.ready) {
      this.#socket.destroy();
      return;
    }
    this.#flush();
    this.#socket.end();
    this.deadlineMs = this.#owner.sweep.in(closingMs);
    this.#retired = true;
  }

  #scheduleFlush(): void {
    if (this.#scheduled || !this.#connected) return;
    this.#scheduled = true;
    writeAtTurnEnd(this, 'endpoint');
  }

  #flush(): void {
    this.#scheduled = false;
    const socket = this.#socket;
    if (!this.#connected || socket.destroyed || socket.writableEnded || this.#full) return;
    const batch = this.#session.takeOutput();
    if (batch === undefined) return;
    writeTogether(socket, batch.chunks, (error) => {
      if (error === null || error === undefined) this.#session.outputWritten(batch);
    });
    // A write that fails at once has sent nothing.
    if (socket.errored === null) this.#session.outputSent();
    if (socket.writableNeedDrain) {
      this.#full = true;
      this.#session.pauseData();
    }
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.sweep.remove(this);
    this.#session.abort();
    this.#owner.onClosed(this, this.ready ? undefined : this.#openingFault());
  }

  #openingFault(): ConnectionFault {
    if (this.#spoken !== undefined) return { kind: 'wrong-protocol', spoken: this.#spoken };
    if (speaksNoTls(this.#error)) return { kind: 'wrong-protocol', spoken: 'plain' };
    if (isLocalShortage(this.#error)) return { kind: 'local-shortage' };
    return this.#timedOut ? { kind: 'connect-timeout' } : { kind: 'refused', error: this.#error };
  }
}

const pingPayload = Buffer.from('swarmgat', 'latin1');
