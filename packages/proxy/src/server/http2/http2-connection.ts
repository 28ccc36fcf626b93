import type { Socket } from 'node:net';
import { type EntrypointSetting, guard } from '@swarmgate/runtime';
import { type ConnectionCache, connectionCacheOf } from '../../exchange/connection-cache.ts';
import type { OutputBatch } from '../../http/http2/frame-output.ts';
import { ErrorCode } from '../../http/http2/frames.ts';
import { Http2ServerSession } from '../../http/http2/server-session.ts';
import type { Http2Stream } from '../../http/http2/stream.ts';
import type { Timed } from '../../transport/deadline-sweep.ts';
import { dropInTurn, shareBytes, takeOwnTurn } from '../../transport/fair-turn.ts';
import { closeSilent } from '../../transport/reset.ts';
import { type TurnWriter, writeAtTurnEnd } from '../../transport/turn-end.ts';
import { writeTogether } from '../../transport/write-together.ts';
import { pausedBehind } from '../read-in-place.ts';
import { SocketEvents } from '../socket-events.ts';
import { TakenOutput } from '../taken-output.ts';
import type { Http2Context } from './connection-context.ts';
import {
  drainResponseMs,
  floodPauseMs,
  fullChunkBytes,
  mostFramesInOwnTurn,
  mostFramesInTurn,
  mostOutputBytes,
  mostSettledInOwnTurn,
  mostSettledInTurn,
  mostUnreadBytes,
  ownSliceBytes,
  sliceBytes,
} from './connection-shares.ts';
import { CoveredAuthorities } from './covered-authorities.ts';
import { RequestStream, type StreamConnection } from './request-stream.ts';

type Stage = 'opening' | 'serving' | 'draining' | 'closing' | 'closed';

/** One client's connection of HTTP/2: moves bytes between its socket and the session, and keeps the deadlines. */
export class Http2Connection implements Timed, StreamConnection, TurnWriter {
  static readonly #events = new SocketEvents<Http2Connection>({
    data: (connection, chunk) => connection.#onData(chunk),
    end: (connection) => connection.#onEnd(),
    close: (connection) => connection.#onClose(),
  });
  readonly cache: ConnectionCache;
  readonly context: Http2Context;
  readonly taken: TakenOutput;
  deadlineMs: number;
  sweepPlace = -1;
  trackPlace = -1;
  readonly #socket: Socket;
  readonly #session: Http2ServerSession;
  #stage: Stage = 'opening';
  #busy = false;
  /** Being written, oldest first. */
  readonly #batches: OutputBatch[] = [];
  #scheduled = false;
  /** It had more to do at once than its share of a turn. */
  #isHeavy = false;
  #turnsOfChunk = 0;
  /** While it closes, since its last turn. */
  #droppedBytes = 0;
  /** The write that is under way was there at the last look at it. */
  #isWatched = false;
  /** Draining, or its client broke the protocol: it gets little time to close. */
  #isShort = false;
  /** Ended for a flood, and not read for a while. */
  #isHeld = false;
  /** What has been read and waits until the client has taken what it got. */
  #unread: Buffer | undefined;
  readonly #covered: CoveredAuthorities;
  /** Streams that what is being read brought something for, each once. */
  #touched: RequestStream[] = [];
  /** Requests among them that are not served yet. */
  #unserved = 0;
  readonly #afterWrite: (error?: Error | null) => void;
  readonly #resumeLater: () => void;

  constructor(socket: Socket, entrypoint: EntrypointSetting, context: Http2Context) {
    this.#socket = socket;
    this.taken = new TakenOutput(socket);
    this.#covered = new CoveredAuthorities(socket);
    this.context = context;
    this.cache = connectionCacheOf(socket, entrypoint, context, '2.0');
    this.deadlineMs = context.sweep.in(context.timeouts.headMs);
    this.#afterWrite = guard(this, (error?: Error | null) => this.#onWritten(error));
    this.#resumeLater = guard(this, () => this.#resume());
    this.#session = new Http2ServerSession(
      {
        onRequest: (stream, head, ended) => {
          this.#unserved += 1;
          this.touch(new RequestStream(this, stream, head, ended));
        },
        onRefused: (stream, refused) => RequestStream.refuse(this, stream, refused),
        onData: (stream, bytes, from, to) => requestOf(stream).onData(bytes, from, to),
        onTrailers: (stream, fields) => requestOf(stream).onTrailers(fields.map((field) => field.line).join('')),
        onEnd: (stream) => requestOf(stream).onEnd(),
        onReset: (stream) => requestOf(stream).onReset(),
        onWindow: (stream) => requestOf(stream).onWindow(),
        onOutput: () => this.#scheduleFlush(),
        onGoaway: () => undefined,
        onPong: () => undefined,
        onSettings: () => undefined,
        onFault: ({ cause, errorCode }) => {
          this.context.logger.debug(
            { peer: this.cache.info.peerAddress, cause },
            'an HTTP/2 connection was ended for a violation',
          );
          this.#isShort = true;
          this.#isHeld = this.#stage !== 'closing' && errorCode === ErrorCode.enhanceYourCalm;
          this.#close();
        },
        onDrained: () => this.#close(),
      },
      { ...context.session, maxOutputBytes: mostOutputBytes, isSlow: () => this.taken.isHeldUp },
    );
  }

  standsFor(authority: string): boolean {
    return this.#covered.standsFor(authority);
  }

  start(firstBytes: Buffer | undefined): void {
    this.#socket.setNoDelay(true);
    this.context.sweep.add(this);
    // Of TLS node:tls gives what it has decrypted also behind a pause.
    Http2Connection.#events.lead(this.#socket, this, firstBytes, !this.cache.info.secure);
  }

  /** Announces the end: streams that are open finish, and the client opens new ones elsewhere. */
  drain(): void {
    this.#isShort = true;
    if (this.#stage === 'closing') this.#release();
    if (this.#stage !== 'opening' && this.#stage !== 'serving') return;
    this.#stage = 'draining';
    this.#session.drain();
    this.deadlineMs = this.context.sweep.in(drainResponseMs);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  onDeadline(): void {
    switch (this.#stage) {
      case 'opening':
        if (this.#session.prefaceDone) this.#session.fail(ErrorCode.settingsTimeout, 'settings-timeout');
        else this.#socket.destroy();
        return;
      case 'serving':
        if (this.#batches.length > 0) this.#awaitTaking();
        else if (this.#session.openStreams > 0) this.#awaitRequest();
        else this.#endInOrder();
        return;
      case 'draining':
        this.#endInOrder();
        return;
      case 'closing':
        if (!this.#isHeld && this.taken.isSilent) closeSilent(this.#socket);
        else this.#release();
        return;
      default:
        this.#socket.destroy();
    }
  }

  onTurnEnd(): void {
    this.#flush();
  }

  onFault(error: unknown): void {
    this.context.logger.error({ err: error, peer: this.cache.info.peerAddress }, 'a connection failed');
    this.#session.fail(ErrorCode.internalError, 'internal-error');
    // Where acting on `close` was the fault, no further event takes the connection out of the books.
    if (this.#socket.closed) this.#onClose();
  }

  #onData(chunk: Buffer): boolean {
    if (this.#stage === 'closing') this.#drop(chunk.length);
    if (this.#stage === 'closing' || this.#stage === 'closed') return false;
    if (this.#isHeavy) this.#goOnLater(chunk, 0);
    else this.#read(chunk, 0);
    return this.#isHeavy;
  }

  /** Small frames cost the most for a byte: of a chunk that is full of them one turn reads a part, and the next goes on. */
  #read(chunk: Buffer, from: number): void {
    const session = this.#session;
    const mostFrames = session.framesRead + (this.#isHeavy ? mostFramesInOwnTurn : mostFramesInTurn);
    const slice = this.#isHeavy ? ownSliceBytes : sliceBytes;
    let at = from;
    while (at < chunk.length && session.framesRead < mostFrames && this.#mayReadOn) {
      const to = Math.min(at + slice, chunk.length);
      session.read(chunk, at, to);
      at = to;
    }
    const isSettled = this.#settleTouched();
    this.#settle();
    // Until all that it has read is acted upon, streams have no deadlines of their own.
    if (isSettled && this.#isUnread) {
      this.#isHeavy = true;
      this.#unread = pausedBehind(this.#socket, chunk, at);
      return;
    }
    if (at < chunk.length || !isSettled) {
      this.#isHeavy = true;
      this.#goOnLater(chunk, at);
      return;
    }
    // One that had a whole chunk in its first turn is like the others again.
    this.#isHeavy &&= this.#turnsOfChunk > 1;
    this.#turnsOfChunk = 0;
    if (chunk.length >= fullChunkBytes) this.#yieldTurn();
    else if (this.#socket.isPaused()) this.#resume();
  }

  /**
   * In turns of its own it has no more requests at a time than it acts upon in one: those that wait for later turns outlive
   * the young generation, and V8 then collects the whole heap again and again.
   */
  get #mayReadOn(): boolean {
    return (!this.#isHeavy || this.#unserved < mostSettledInOwnTurn) && !this.#isUnread;
  }

  #resume(): void {
    if (!this.#isHeld) this.#socket.resume();
  }

  /** While it closes: ends the pause behind a flood, and waits for the client to close. */
  #release(): void {
    this.#awaitClose();
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#socket.resume();
    this.#scheduleFlush();
  }

  /** A client that broke the protocol may go on sending at full speed until it reads of the end. */
  #drop(bytes: number): void {
    this.#droppedBytes += bytes;
    if (this.#droppedBytes < shareBytes) return;
    this.#droppedBytes = 0;
    dropInTurn(this.#socket, this, () => this.#stage === 'closing' && !this.#isHeld);
  }

  /** The client does not take its responses: one write is under way, and much more waits behind it. */
  get #isUnread(): boolean {
    return this.#stage !== 'closing' && this.#batches.length > 0 && this.#session.pendingOutputBytes >= mostUnreadBytes;
  }

  #goOnLater(chunk: Buffer, from: number): void {
    const rest = pausedBehind(this.#socket, chunk, from);
    takeOwnTurn(this, () => {
      this.#turnsOfChunk += 1;
      if (this.#stage === 'closing' || this.#stage === 'closed') this.#resume();
      else this.#read(rest, 0);
    });
  }

  /**
   * What a stream brought is acted upon when all that was received has been read: a request that was reset by then costs
   * nothing, a body that is whole by then can be sent to another endpoint, and a body in many small frames is one write.
   */
  touch(stream: RequestStream): void {
    this.#touched.push(stream);
  }

  /** Returns whether none is left for the next turn. */
  #settleTouched(): boolean {
    const touched = this.#touched;
    if (touched.length === 0) return true;
    const most = this.#isHeavy ? mostSettledInOwnTurn : mostSettledInTurn;
    const isAll = touched.length <= most;
    this.#touched = isAll ? [] : touched.slice(most);
    for (const stream of isAll ? touched : touched.slice(0, most)) if (stream.settle()) this.#unserved -= 1;
    return isAll;
  }

  /** More is waiting: without a pause up to 32 such chunks are read in one turn of the event loop, and the others wait. */
  #yieldTurn(): void {
    this.#socket.pause();
    setImmediate(this.#resumeLater);
  }

  #onEnd(): void {
    // A client that closes and one that only stops sending look alike here; nearly all have gone.
    this.#session.abort();
    this.#socket.destroySoon();
  }

  #onClose(): void {
    this.#stage = 'closed';
    this.context.sweep.remove(this);
    this.context.forget(this);
    this.#session.abort();
  }

  /** The system has the oldest batch: the next one is written, with what waited in the streams. */
  #onWritten(error: Error | null | undefined): void {
    const batch = this.#batches.shift();
    this.#isWatched = false;
    if (error !== null && error !== undefined) return;
    if (batch !== undefined) this.#session.outputWritten(batch);
    if (this.#batches.length > 0 || this.#stage === 'closing' || this.#stage === 'closed') return;
    this.#session.resumeData();
    if (this.#session.pendingOutputBytes > 0) this.#flush();
    const unread = this.#unread;
    if (unread === undefined || this.#isUnread) return;
    this.#unread = undefined;
    this.#goOnLater(unread, 0);
  }

  /** The deadline follows what the connection does. */
  #settle(): void {
    const isOpened = this.#stage === 'opening' && this.#session.settingsAcknowledged;
    if (isOpened) this.#stage = 'serving';
    const isBusy = this.#session.openStreams > 0;
    if (isOpened || (this.#stage === 'serving' && this.#busy && !isBusy)) this.#awaitRequest();
    else this.#busy = isBusy;
  }

  /** Idle for too long, or the client does not respond to the first GOAWAY. */
  #endInOrder(): void {
    this.#stage = 'draining';
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#session.drain(true);
  }

  /** Whatever its streams do: a client that has taken nothing of a write since the last look at it is gone. */
  #awaitTaking(): void {
    if (this.#isWatched && this.taken.isSilent) closeSilent(this.#socket);
    this.#isWatched = true;
    this.deadlineMs = this.taken.watch(this.context.sweep, this.context.timeouts.clientMs, false);
  }

  /** With streams it waits again: of a client that takes nothing their ends are found only then. */
  #awaitRequest(): void {
    this.#busy = this.#session.openStreams > 0;
    this.deadlineMs = this.context.sweep.in(this.context.timeouts.keepAliveMs);
  }

  /** What is in the output leaves, then the connection ends. */
  #close(): void {
    if (this.#stage === 'closing' || this.#stage === 'closed') return;
    this.#stage = 'closing';
    if (this.#isHeld) {
      this.#socket.pause();
      this.deadlineMs = this.context.sweep.in(floodPauseMs);
    } else {
      this.#awaitClose();
      if (this.#unread !== undefined) this.#socket.resume();
    }
    this.#scheduleFlush();
  }

  #awaitClose(): void {
    const { sweep, timeouts } = this.context;
    this.deadlineMs = this.taken.watch(sweep, timeouts.clientMs, this.#isShort);
  }

  #scheduleFlush(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    writeAtTurnEnd(this, 'client');
  }

  #flush(): void {
    this.#scheduled = false;
    const socket = this.#socket;
    if (this.#stage === 'closed') return;
    // One batch at a time: several that wait in the socket are joined by copying.
    if (this.#batches.length > 0 && this.#stage !== 'closing') return;
    // Several chunks of one write are joined for TLS before they are encrypted.
    const isOneByOne = this.cache.info.secure && this.#stage !== 'closing';
    const batch = this.#session.takeOutput(isOneByOne ? 1 : Number.POSITIVE_INFINITY);
    if (batch !== undefined && !socket.destroyed) this.#write(batch);
    // What the client still sends is read and dropped, so that a reset does not destroy what it has not read.
    if (this.#stage === 'closing' && !socket.writableEnded && !this.#isHeld) socket.end();
    else this.#settle();
  }

  #write(batch: OutputBatch): void {
    const socket = this.#socket;
    // The system mostly takes all of a write at once: no callback is needed then. TLS always reports later.
    const isReported = this.cache.info.secure || this.#batches.length > 0;
    writeTogether(socket, batch.chunks, isReported ? this.#afterWrite : undefined);
    if (!isReported && socket.writableLength === 0) {
      this.#session.outputWritten(batch);
      this.#session.resumeData();
      return;
    }
    this.#batches.push(batch);
    // Behind what the system has not taken.
    if (!isReported) socket.write(none, this.#afterWrite);
  }
}

function requestOf(stream: Http2Stream): RequestStream {
  return stream.context as RequestStream;
}

const none = Buffer.alloc(0);
