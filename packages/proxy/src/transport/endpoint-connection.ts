import type { Socket } from 'node:net';
import { guard } from '@swarmgate/runtime';
import { lastChunk } from '../http/chunked-reader.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { DeadlineSweep, Timed } from './deadline-sweep.ts';
import type { ConnectionFault, EndpointChannel, ResponseReceiver, TunnelReceiver } from './endpoint-channel.ts';
import { TurnShares } from './fair-turn.ts';
import { isHttp2Settings } from './http2/spoken-protocol.ts';
import { isLocalShortage } from './local-shortage.ts';
import { openConnection, openedEvent } from './open-connection.ts';
import { type OutgoingRequest, textOf } from './outgoing-request.ts';
import { ReadBuffer } from './read-buffer.ts';
import { RequestWriter } from './request-writer.ts';
import { reset } from './reset.ts';
import { ResponseReader } from './response-reader.ts';
import { ResponseSilence } from './response-silence.ts';
import { type TurnWriter, writeAtTurnEnd } from './turn-end.ts';

export interface ConnectionOwner {
  readonly sweep: DeadlineSweep;
  /** The response is complete. `reusable`: both sides agree on where the next one begins. */
  onFinished(connection: EndpointConnection, reusable: boolean): void;
  onClosed(connection: EndpointConnection): void;
  /** The connection carries a tunnel from here on, and counts no longer as one of the owner's. */
  onDetached(connection: EndpointConnection): void;
  /** Connected, and encrypted where that is requested, after this many milliseconds. */
  onOpened(tookMs: number): void;
  /** This machine could not open the connection: it has no descriptor left. */
  onLocalShortage(): void;
  /** A callback failed while the connection carried nothing. It is closed. */
  onFault(error: unknown): void;
}

/** How long an endpoint may go on sending to a tunnel's client that is gone. */
const lingerMs = 2_000;

type Stage = 'idle' | 'exchange' | 'tunnel' | 'closed';

/** One connection to an endpoint: writes requests, reads responses strictly, one exchange at a time. */
export class EndpointConnection implements EndpointChannel, Timed, TurnWriter {
  readonly endpoint: Endpoint;
  readonly socket: Socket;
  sweepPlace = -1;
  connected = false;
  /** Exchanges that it has completed. */
  served = 0;
  /** When it became idle, in the sweep's milliseconds. */
  idleSinceMs = 0;
  readonly #owner: ConnectionOwner;
  #stage: Stage = 'idle';
  #receiver: ResponseReceiver | undefined;
  #tunnel: TunnelReceiver | undefined;
  #detached = false;
  readonly #reader = new ResponseReader();
  readonly #silence: ResponseSilence;
  #error: Error | undefined;
  readonly #readBuffer = new ReadBuffer();
  #mayUpgrade = false;
  #requestDone = true;
  #chunked = false;
  #isPaused = false;
  readonly #shares: TurnShares;
  readonly #writer: RequestWriter;

  constructor(endpoint: Endpoint, owner: ConnectionOwner, connectMs: number) {
    this.endpoint = endpoint;
    this.#owner = owner;
    this.#silence = new ResponseSilence(owner.sweep, connectMs);
    const onBytes = guard(this, (length: number) => {
      this.#onBytes(buffer, length);
      // Behind a whole response it is read on: bytes that follow it must be found before the next request is sent.
      const isAmid = this.#receiver !== undefined || this.#tunnel !== undefined;
      if (this.#readBuffer.endsShare(length, isAmid) && isAmid) this.#shares.end();
    });
    let buffer: Buffer;
    const onread = {
      // Called before the first read and after each: `undefined` keeps the buffer.
      buffer: () => this.#readBuffer.next() as Uint8Array,
      callback: (length: number, bytes: Uint8Array): boolean => {
        buffer = bytes as Buffer;
        onBytes(length);
        return true;
      },
    };
    const beganMs = performance.now();
    this.socket = openConnection(endpoint, { onread });
    this.#writer = new RequestWriter(this.socket);
    this.#shares = new TurnShares(this.socket, this, () => !this.#isPaused);
    const onOpened = () => {
      owner.onOpened(performance.now() - beganMs);
      this.#onConnected();
    };
    this.socket.on(openedEvent(endpoint.secure), guard(this, onOpened));
    this.socket.on(
      'drain',
      guard(this, () => (this.#tunnel ?? this.#receiver)?.onWritable()),
    );
    this.socket.on(
      'end',
      guard(this, () => this.#onEnd()),
    );
    this.socket.on('error', (error) => {
      this.#error = error;
    });
    this.socket.on(
      'close',
      guard(this, () => this.#onClose()),
    );
    owner.sweep.add(this);
  }

  get deadlineMs(): number {
    return this.#silence.deadlineMs;
  }

  get idle(): boolean {
    return this.#stage === 'idle' && !this.socket.destroyed;
  }

  get wasIdle(): boolean {
    return this.served > 0;
  }

  get takesBody(): boolean {
    return this.connected && !this.socket.writableNeedDrain;
  }

  get responding(): boolean {
    return this.#reader.responding;
  }

  /** The endpoint's keep-alive timeout, or `Infinity`. */
  get promisedIdleMs(): number {
    return this.#reader.promisedIdleMs;
  }

  get trailers(): string {
    return this.#reader.trailers;
  }

  /** Closes after so many milliseconds without a request. */
  restFor(ms: number): void {
    this.idleSinceMs = this.#owner.sweep.nowMs;
    this.#silence.endAt(this.idleSinceMs + ms);
  }

  send(request: OutgoingRequest, receiver: ResponseReceiver): void {
    this.#receiver = receiver;
    this.#mayUpgrade = request.upgrade !== '';
    this.#reader.begin(request.method, receiver, this.#mayUpgrade);
    this.#stage = 'exchange';
    this.#requestDone = request.whole;
    this.#chunked = request.chunked;
    this.#readBuffer.beginShare();
    const text = textOf(request, this.endpoint);
    if (!this.connected) {
      this.socket.write(text, 'latin1');
      return;
    }
    this.#expectHead();
    if (this.#writer.add(text)) writeAtTurnEnd(this, 'endpoint');
  }

  onTurnEnd(): void {
    this.#writer.flush();
  }

  /** Nothing of the request has left. */
  get isUnsent(): boolean {
    return this.#writer.isUnsent;
  }

  writeBody(bytes: Buffer, from: number, to: number): boolean {
    this.#expectBytes();
    return this.#writer.writeBody(bytes, from, to, this.#chunked);
  }

  endBody(trailers: string): void {
    this.#requestDone = true;
    this.#writer.flush();
    if (this.connected && !this.#reader.inBody) this.#expectHead();
    if (this.#chunked) this.socket.write(lastChunk(trailers), 'latin1');
  }

  beginTunnel(receiver: TunnelReceiver): void {
    this.#stage = 'tunnel';
    this.#receiver = undefined;
    this.#reader.leave();
    this.#tunnel = receiver;
    this.#silence.expectNothing();
    this.#detached = true;
    this.#owner.onDetached(this);
  }

  writeTunnel(bytes: Buffer): boolean {
    return this.#writer.writeBody(bytes, 0, bytes.length, false);
  }

  endTunnel(): void {
    this.#writer.flush();
    this.socket.end();
  }

  closeTunnel(): void {
    this.#writer.flush();
    const linger = guard(this, () => this.#silence.endIn(lingerMs));
    this.socket.end(linger);
    this.#isPaused = false;
    this.socket.resume();
  }

  pause(): void {
    this.#silence.expectNothing();
    this.#isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    if (this.#stage === 'exchange') this.#expectBytes();
    this.#isPaused = false;
    this.#shares.resume();
  }

  /** Leaves the exchange and closes; nothing more is reported to the receiver. */
  abandon(): void {
    this.#leave();
    this.socket.destroy();
  }

  reset(): void {
    this.#leave();
    reset(this.socket);
  }

  onDeadline(): void {
    if (this.#stage !== 'exchange') this.socket.destroy();
    else if (this.connected && !this.#silence.isOver) this.#receiver?.onSilence(this.#silence.report());
    else this.#break(this.connected ? { kind: 'silent' } : { kind: 'connect-timeout' });
  }

  onFault(error: unknown): void {
    const owner = this.#tunnel ?? this.#receiver;
    this.abandon();
    if (owner === undefined) this.#owner.onFault(error);
    else owner.onFault(error);
    // Where acting on `close` was the fault, no further event gives its place back.
    if (this.socket.closed) this.#release();
  }

  #leave(): void {
    this.#receiver = undefined;
    this.#tunnel = undefined;
    this.#reader.leave();
  }

  #expectBytes(): void {
    if (this.#receiver !== undefined) this.#silence.expectBytes(this.#receiver.silenceMs);
  }

  #expectMore(): void {
    if (this.#reader.inBody) this.#expectBytes();
    else this.#expectHead();
  }

  #expectHead(): void {
    if (this.#receiver !== undefined) this.#silence.expectHead(this.#receiver.silenceMs, this.#requestDone);
  }

  #onConnected(): void {
    this.connected = true;
    if (this.#stage === 'exchange') this.#expectHead();
    this.#receiver?.onConnected();
  }

  #onBytes(read: Buffer, length: number): void {
    // A tunnel may keep what it gets.
    const copies = this.#mayUpgrade ? undefined : this.#receiver?.copiesBytes;
    const buffer = this.#readBuffer.take(read, length, copies);
    if (this.#tunnel !== undefined) {
      if (this.#tunnel.onTunnelBytes(buffer, 0, length)) this.#readBuffer.keep(buffer);
      return;
    }
    if (this.#stage !== 'exchange') {
      // Bytes without a request: the next exchange on this connection would take them for its response.
      this.socket.destroy();
      return;
    }
    if (this.#writer.isUnsent) {
      // They came before the request left, so they are no response to it.
      this.#writer.drop();
      this.#break({ kind: 'unprocessed' });
      return;
    }
    const isFirst = !this.#reader.responding;
    const outcome = this.#reader.read(buffer, length);
    if (outcome === 'upgraded') {
      this.#readBuffer.keep(buffer);
      return;
    }
    if (this.#reader.inUse) this.#readBuffer.keep(buffer);
    // The receiver may have left while it took a part.
    if (this.#receiver === undefined) return;
    if (outcome === 'more') {
      // Unless the receiver has paused the connection. A response in one piece needs no deadline.
      if (!this.#isPaused) this.#expectMore();
      return;
    }
    // The rest of such a read, and further records of TLS, come before the event loop turns.
    if (outcome === 'complete') this.#finish(length >= ReadBuffer.wholeBytes || this.endpoint.secure);
    else if (isFirst && isHttp2Settings(buffer)) this.#break({ kind: 'wrong-protocol', spoken: 'http2' });
    else this.#break({ kind: 'invalid', cause: outcome.cause });
  }

  /** @param mayFollow more may have arrived than has been read: bytes behind the response, which are no response */
  #finish(mayFollow: boolean): void {
    this.#receiver = undefined;
    this.#reader.leave();
    this.served++;
    // An endpoint that responds before it has the whole request still waits for the rest: a request sent on this
    // connection would be read as that rest, which is how requests are smuggled.
    const reusable = this.#reader.persistent && this.#requestDone && !this.socket.destroyed;
    this.#stage = reusable ? 'idle' : 'closed';
    if (this.#isPaused) this.resume(); // For a slow client: the next response would never be read.
    if (!reusable || !mayFollow) this.#owner.onFinished(this, reusable);
    else this.#finishLater();
  }

  /** In the next turn of the event loop: whatever came behind the response has closed the connection by then. */
  #finishLater(): void {
    const finish = guard(this, () => {
      if (!this.socket.destroyed) this.#owner.onFinished(this, true);
    });
    setImmediate(finish);
  }

  #onEnd(): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.onTunnelEnd();
      return;
    }
    if (this.#stage === 'exchange' && this.#reader.readEnd()) {
      if (this.#receiver !== undefined) this.#finish(false);
      return;
    }
    this.socket.destroy();
  }

  #onClose(): void {
    this.#owner.sweep.remove(this);
    // Detached before: an abandoned tunnel, too, has left the owner's count already.
    if (this.#detached) {
      const tunnel = this.#tunnel;
      this.#tunnel = undefined;
      tunnel?.onTunnelClosed();
      return;
    }
    if (!this.connected && isLocalShortage(this.#error)) {
      this.#owner.onLocalShortage();
      this.#break({ kind: 'local-shortage' });
    } else this.#break(this.#closedFault());
    this.#stage = 'closed';
    this.#release();
  }

  #closedFault(): ConnectionFault {
    if (this.#writer.isUnsent) return { kind: 'unprocessed' };
    return this.connected ? { kind: 'closed', error: this.#error } : { kind: 'refused', error: this.#error };
  }

  #release(): void {
    this.#owner.sweep.remove(this);
    if (this.#detached) return;
    this.#detached = true;
    this.#owner.onClosed(this);
  }

  #break(fault: ConnectionFault): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#reader.leave();
    this.#stage = 'closed';
    this.socket.destroy();
    receiver?.onBroken(fault);
  }
}
