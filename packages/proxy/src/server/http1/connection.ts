import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type EntrypointSetting, guard } from '@swarmgate/runtime';
import type { ClientHead } from '../../exchange/client-head.ts';
import {
  type BodySource,
  type ClientSide,
  type ClientTunnel,
  type ClientTunnelHandler,
  longBodyBytes,
  type ResponseSink,
} from '../../exchange/client-side.ts';
import { type ConnectionCache, connectionCacheOf } from '../../exchange/connection-cache.ts';
import { HttpExchange } from '../../exchange/http-exchange.ts';
import { prefaceAtStart } from '../../http/http2/frames.ts';
import { type ParseError, parseErrors } from '../../http/parse-error.ts';
import type { RequestHead } from '../../http/request-head.ts';
import type { Timed } from '../../transport/deadline-sweep.ts';
import { closeSilent } from '../../transport/reset.ts';
import { MinimumDataRate } from '../minimum-data-rate.ts';
import { SocketEvents } from '../socket-events.ts';
import { TakenOutput } from '../taken-output.ts';
import { ClientReading, type ReadingOwner } from './client-reading.ts';
import type { ConnectionContext } from './connection-context.ts';
import {
  drainIdleMs,
  headPieceBytes,
  lingerMs,
  longHeadBytes,
  mostHeadsInTurn,
  type Stage,
} from './connection-stage.ts';
import { Http1Request } from './http1-request.ts';
import { emptyBody, RequestBody, type TakePayload } from './request-body.ts';
import { ResponseWriter, type WrittenConnection } from './response-writer.ts';
import { SocketTunnel } from './socket-tunnel.ts';
import { UnreadBytes } from './unread-bytes.ts';

/** One client's connection: reads requests one after the other, responds in that order, one exchange at a time. */
export class Http1Connection implements Timed, ClientSide, BodySource, WrittenConnection, ReadingOwner {
  readonly cache: ConnectionCache;
  readonly sink: ResponseSink;
  deadlineMs: number;
  sweepPlace = -1;
  trackPlace = -1;
  /** Of the request in progress, head included. */
  receivedBytes = 0;
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #entrypoint: EntrypointSetting;
  static readonly #events = new SocketEvents<Http1Connection>({
    data: (connection, chunk) => connection.#onData(chunk),
    end: (connection) => connection.#onEnd(),
    close: (connection) => connection.#onClose(),
    drain: (connection) => connection.#onDrain(),
  });
  readonly #writer: ResponseWriter;
  readonly #unread = new UnreadBytes();
  #stage: Stage = 'reading-head';
  #exchange: HttpExchange | undefined;
  #body: RequestBody = emptyBody;
  #tunnel: SocketTunnel | undefined;
  #inHead = false;
  #readingHeads = false;
  readonly #reading: ClientReading;
  /** The client is to send more of its body. */
  #awaitsBody = false;
  /** The client has announced that it sends nothing behind this request, which has no body. */
  #isLast = false;
  /** Nothing has been read that is not the beginning of the preface of HTTP/2. */
  #mayBeHttp2: boolean;
  #rate: MinimumDataRate | undefined;
  #taken: TakenOutput | undefined;

  constructor(socket: Socket, entrypoint: EntrypointSetting, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
    this.#entrypoint = entrypoint;
    this.#mayBeHttp2 = context.onHttp2 !== undefined && !(socket instanceof TLSSocket);
    this.#reading = new ClientReading(socket, this);
    this.#writer = new ResponseWriter(socket, this);
    this.sink = this.#writer;
    this.cache = connectionCacheOf(socket, entrypoint, context);
    this.deadlineMs = context.sweep.in(context.timeouts.headMs);
  }

  start(firstBytes: Buffer | undefined): void {
    this.#context.sweep.add(this);
    Http1Connection.#events.lead(this.#socket, this, firstBytes, !this.#mayBeHttp2 || this.#context.mayReadInPlace);
  }

  get draining(): boolean {
    return this.#context.draining;
  }

  get body(): BodySource {
    return this;
  }

  get done(): boolean {
    return this.#body.done;
  }

  get isLong(): boolean {
    return this.#body.isSized && this.#unread.length > longBodyBytes;
  }

  get trailers(): string {
    return this.#body.trailers;
  }

  /** From now on responses carry `Connection: close`. A busy client gets one more response, an idle connection is closed. */
  drain(): void {
    if (this.#stage === 'closing') this.#awaitTaking(this.draining);
    const idle = this.#stage === 'reading-head' && this.#unread.bytes === undefined;
    if (idle) this.deadlineMs = Math.min(this.deadlineMs, this.#context.sweep.in(drainIdleMs));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  get readsSocket(): boolean {
    return this.#stage !== 'tunnel';
  }

  onOwnTurn(): void {
    if (this.#stage === 'reading-head') this.#readHeads(true);
    if (this.#body.done && this.#unread.bytes === undefined) this.#reading.resume();
  }

  onClogged(): void {
    this.#awaitTaking(false);
  }

  read(take: TakePayload): ParseError | undefined {
    const { bytes, at } = this.#unread;
    if (bytes === undefined) return undefined;
    const outcome = this.#body.read(bytes, at, bytes.length, take);
    if (typeof outcome !== 'number') return outcome;
    this.receivedBytes += outcome - at;
    this.#unread.takeTo(outcome);
    if (!this.#readingHeads) this.#unread.settle();
    if (this.#body.done) {
      this.#awaitsBody = false;
      this.deadlineMs = Number.POSITIVE_INFINITY;
    } else if (this.#awaitsBody && this.#rate?.take(outcome - at) === true) this.#awaitBody();
    return undefined;
  }

  pause(): void {
    // While the endpoint does not take the body, silence is not the client's.
    this.#awaitsBody = false;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#reading.pause();
  }

  resume(): void {
    if (!this.#body.done && !this.#awaitsBody) this.#awaitBody();
    if (this.#unread.bytes === undefined) this.#reading.resume();
  }

  onExchangeOver(end: 'complete' | 'cut'): void {
    this.#exchange = undefined;
    this.#awaitsBody = false;
    if (this.#stage === 'closed') return;
    if (this.#stage === 'tunnel') this.deadlineMs = this.#context.sweep.in(lingerMs);
    else if (end === 'cut') {
      this.#stage = 'closing';
      this.#writer.reset();
    } else if (!this.#writer.persistent) this.#close();
    else {
      this.#stage = 'reading-head';
      this.#body = emptyBody;
      this.deadlineMs = this.#context.sweep.in(this.#context.timeouts.keepAliveMs);
      if (!this.#readingHeads) this.#reading.beginShare();
      if (this.draining) this.drain();
      if (this.#unread.bytes !== undefined && !this.#readingHeads) this.#reading.waitForTurn();
      else if (this.#reading.isPaused && this.#unread.bytes === undefined) this.#reading.resume();
    }
  }

  beginTunnel(head: ClientHead, protocol: string, handler: ClientTunnelHandler): ClientTunnel | undefined {
    if (this.#writer.switchProtocols(head, protocol) === undefined) return undefined;
    this.#stage = 'tunnel';
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#reading.isPaused = false;
    const linger = guard(this, () => {
      this.deadlineMs = this.#context.sweep.in(lingerMs);
    });
    this.#tunnel = new SocketTunnel(this.#socket, this, handler, this.#unread.rest(), () => linger());
    this.#unread.clear();
    return this.#tunnel;
  }

  onDeadline(): void {
    const socket = this.#socket;
    const isHead = this.#stage === 'reading-head';
    // Half a head gets a response; a connection that only stayed idle is closed without a response.
    if (isHead && this.#unread.bytes !== undefined) this.#refuse(parseErrors.requestTimeout);
    else if (isHead && socket.writableLength > 0) this.#close();
    else if (this.#stage === 'exchange' && this.#taken?.isSlow(this.#clientMs)) this.onClogged();
    else if (this.#stage === 'exchange' && this.#exchange !== undefined) this.#exchange.onClientStalled();
    else if (this.#stage === 'closing' && this.#taken?.isSilent === false) this.#awaitTaking(this.draining);
    else closeSilent(socket);
  }

  onFault(error: unknown): void {
    // Nothing behind a fault is read; the response that it was given still leaves.
    this.#writer.closeAfter();
    this.#unread.keep();
    if (this.#exchange !== undefined) this.#exchange.onFault(error);
    else this.#context.logger.error({ err: error, peer: this.cache.info.peerAddress }, 'a connection failed');
    if (this.#stage !== 'closing' && this.#exchange === undefined) this.#socket.destroySoon();
    // Where acting on `close` was the fault, no further event takes the connection out of the books.
    if (this.#socket.closed) this.#leave();
  }

  #onData(chunk: Buffer): void {
    if (this.#reading.isPaused) this.#reading.hold(chunk.length);
    switch (this.#stage) {
      case 'reading-head':
        this.#unread.append(chunk);
        if (this.#mayBeHttp2 && this.#isPreface()) return;
        if (this.#unread.mayHoldHead(chunk, this.#context.head.mostBytes)) this.#readHeads();
        break;
      case 'exchange':
        this.#unread.append(chunk);
        if (this.#exchange?.takesBody === true) this.#exchange.onClientBytes();
        else this.#reading.pause();
        break;
      case 'tunnel':
        this.#tunnel?.onData(chunk);
        return;
      default:
        this.#reading.countDropped(chunk.length);
        return;
    }
    this.#unread.keep();
    this.#reading.count(this.#inHead ? Math.max(chunk.length, headPieceBytes) : chunk.length, this.#body);
  }

  /** Hands the connection to HTTP/2 if it begins with the HTTP/2 preface. `true`: nothing to parse. */
  #isPreface(): boolean {
    const found = prefaceAtStart(this.#unread.bytes as Buffer);
    this.#mayBeHttp2 = found !== 'none';
    if (found === 'none') return false;
    const bytes = this.#unread.rest();
    if (found !== 'whole') return true;
    this.#stage = 'closed';
    this.#unread.clear();
    Http1Connection.#events.release(this.#socket);
    this.#context.sweep.remove(this);
    this.#context.onHttp2?.(this.#socket, this.#entrypoint, bytes);
    this.#context.forget(this);
    return true;
  }

  #onEnd(): void {
    this.#writer.flush();
    if (this.#tunnel !== undefined) this.#tunnel.onEnd();
    else if (this.#exchange === undefined) {
      if (this.#writer.hasLeft) this.#socket.destroy();
      // A second `end` makes an error with its stack, which costs more than the request.
      else if (!this.#socket.writableEnded) this.#socket.end();
    } else {
      // A client that closes and one that only stops sending look alike here; nearly all have gone.
      this.#exchange.onClientGone();
      this.#socket.destroy();
    }
  }

  #onClose(): void {
    this.#leave();
    if (this.#tunnel !== undefined) this.#tunnel.onClose();
    else this.#exchange?.onClientGone();
  }

  #leave(): void {
    this.#stage = 'closed';
    this.#context.sweep.remove(this);
    this.#context.forget(this);
  }

  #onDrain(): void {
    if (this.#stage === 'exchange') {
      if (this.#awaitsBody) this.#awaitBody();
      else this.deadlineMs = Number.POSITIVE_INFINITY;
      this.#exchange?.onClientDrained();
    } else if (this.#stage === 'reading-head') {
      this.deadlineMs = this.#context.sweep.in(this.#context.timeouts.keepAliveMs);
      if (this.#unread.bytes !== undefined) this.#readHeads();
      else this.#reading.resume();
    } else this.#tunnel?.onDrain();
  }

  /** Serves what has been read, head after head, for as long as responses are complete at once. */
  #readHeads(isOwnTurn = false): void {
    if (this.#reading.isWaiting) return;
    this.#readingHeads = true;
    let left = mostHeadsInTurn;
    while (this.#stage === 'reading-head' && this.#unread.bytes !== undefined) {
      // A client that sends requests without reading responses must not fill the memory with them.
      if (this.#socket.writableNeedDrain) {
        this.#reading.pause();
        break;
      }
      const isFirstOfOwn = isOwnTurn && left === mostHeadsInTurn;
      if (left === 0 || (!isFirstOfOwn && this.#unread.hasLongHead(longHeadBytes))) {
        this.#reading.waitForTurn();
        break;
      }
      left -= 1;
      if (!this.#readHead(this.#unread.bytes)) break;
    }
    this.#readingHeads = false;
    this.#unread.settle();
  }

  /** `false`: the head is not whole yet. */
  #readHead(bytes: Buffer): boolean {
    const { head, sweep, timeouts } = this.#context;
    const outcome = head.parse(bytes, this.#unread.at, bytes.length);
    if (outcome === 'incomplete') {
      if (!this.#inHead) {
        this.#inHead = true;
        this.deadlineMs = sweep.in(timeouts.headMs);
      }
      if (this.#reading.isPaused) this.#reading.resume();
      return false;
    }
    this.#inHead = false;
    if (outcome === 'complete') this.#serve(bytes, head);
    else this.#refuse(outcome);
    return true;
  }

  #serve(bytes: Buffer, head: RequestHead): void {
    const view = new Http1Request(head, bytes);
    this.#body = head.hasBody ? new RequestBody(head, this.#context.mostBodyBytes) : emptyBody;
    this.receivedBytes = head.end - this.#unread.at;
    this.#unread.takeTo(head.end);
    const exchange = this.#begin(view.method, view.protocol, head.persistent);
    exchange.serve(view);
    // Bytes behind this request wait for its response.
    if (this.#stage === 'exchange' && this.#unread.bytes !== undefined && !exchange.takesBody) this.#reading.pause();
  }

  #begin(method: string, protocol: 'HTTP/1.0' | 'HTTP/1.1', persistent: boolean): HttpExchange {
    this.#writer.begin(method, protocol === 'HTTP/1.0', persistent);
    this.#isLast = !persistent && this.#body === emptyBody && method !== '';
    this.#stage = 'exchange';
    this.deadlineMs = Number.POSITIVE_INFINITY;
    const exchange = new HttpExchange(this, this.#context, method, protocol);
    this.#exchange = exchange;
    return exchange;
  }

  /** The head cannot be read, or did not arrive in time. */
  #refuse(error: ParseError): void {
    this.receivedBytes = this.#unread.length;
    this.#body = emptyBody;
    this.#begin('', 'HTTP/1.1', false).refuse(error);
  }

  #close(): void {
    this.#stage = 'closing';
    if (this.#writer.awaitsLast()) this.deadlineMs = this.#context.sweep.in(this.#clientMs);
    else this.onLastWritten();
  }

  onLastWritten(): void {
    if (this.#socket.destroyed) return;
    if (this.#isLast && this.#unread.bytes === undefined && this.#writer.hasLeft) {
      this.#socket.destroy();
      return;
    }
    this.#unread.clear();
    this.#socket.end();
    this.#awaitTaking(this.draining);
    this.#reading.resume();
  }

  #awaitTaking(short: boolean): void {
    this.#taken ??= new TakenOutput(this.#socket, this.#context.timeouts.bodyBytesPerSecond);
    this.deadlineMs = this.#taken.watch(this.#context.sweep, this.#clientMs, short);
  }

  #awaitBody(): void {
    this.#awaitsBody = true;
    this.#rate ??= new MinimumDataRate(this.#context.timeouts.bodyBytesPerSecond ?? 0);
    this.#rate.begin(this.#clientMs);
    this.deadlineMs = this.#context.sweep.in(this.#clientMs);
  }

  get #clientMs(): number {
    return this.#exchange?.clientMs ?? this.#context.timeouts.clientMs;
  }
}
