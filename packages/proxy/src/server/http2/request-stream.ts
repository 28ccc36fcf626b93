import { guard } from '@swarmgate/runtime';
import type { ClientHead } from '../../exchange/client-head.ts';
import type { BodySource, ClientSide, ClientTunnel, ClientTunnelHandler } from '../../exchange/client-side.ts';
import type { ConnectionCache } from '../../exchange/connection-cache.ts';
import { HttpExchange } from '../../exchange/http-exchange.ts';
import { ErrorCode } from '../../http/http2/frames.ts';
import type { RefusedRequest, RequestHead } from '../../http/http2/message-head.ts';
import type { ParseError } from '../../http/parse-error.ts';
import type { Timed } from '../../transport/deadline-sweep.ts';
import { leastBytesIn, MinimumDataRate } from '../minimum-data-rate.ts';
import type { TakenOutput } from '../taken-output.ts';
import type { Http2Context } from './connection-context.ts';
import { flatOfHead } from './flat-head.ts';
import { Http2Request } from './http2-request.ts';
import type { ServedStream } from './served-stream.ts';
import { StreamBody } from './stream-body.ts';
import { type ResponseHost, StreamResponse } from './stream-response.ts';
import { StreamTunnel, type TunnelHost } from './stream-tunnel.ts';

/** The connection of a stream. */
export interface StreamConnection {
  readonly cache: ConnectionCache;
  readonly context: Http2Context;
  readonly taken: TakenOutput;
  /** Whether the connection's certificate stands for the host of this authority. */
  standsFor(authority: string): boolean;
  /** `settle` is to be called when all that was received has been read. */
  touch(stream: RequestStream): void;
}

const lingerMs = 2_000;

/** One stream of a connection: the client of one exchange. */
export class RequestStream implements ClientSide, BodySource, ResponseHost, TunnelHost, Timed {
  readonly cache: ConnectionCache;
  readonly sink: StreamResponse;
  deadlineMs = Number.POSITIVE_INFINITY;
  sweepPlace = -1;
  readonly #connection: StreamConnection;
  readonly #stream: ServedStream;
  readonly #body: StreamBody;
  readonly #headBytes: number;
  readonly #offersTunnel: boolean;
  #exchange: HttpExchange | undefined;
  #tunnel: StreamTunnel | undefined;
  #rate: MinimumDataRate | undefined;
  #awaitsBody = false;
  /** What had been sent of the response when it was last found to wait, and what the client had taken of the connection. */
  #sentBytes = 0;
  #takenBytes = 0;
  /** It waited for what the connection's streams share. */
  #hadRivals = false;
  #watched = false;
  #touched = true;
  /** The head of a request that is not served yet. */
  #head: RequestHead | undefined;
  readonly #ended: boolean;

  /** @param ended the request has no body */
  constructor(connection: StreamConnection, stream: ServedStream, head: RequestHead | RefusedRequest, ended: boolean) {
    this.#connection = connection;
    this.#head = 'fields' in head ? head : undefined;
    this.#ended = ended;
    this.#stream = stream;
    this.cache = connection.cache;
    this.#offersTunnel = 'fields' in head && head.method === 'CONNECT';
    let bytes = head.method.length + head.path.length + head.authority.length;
    if ('fields' in head) for (const field of head.fields) bytes += field.name.text.length + field.value.length + 4;
    this.#headBytes = bytes;
    this.#body = new StreamBody(ended || this.#offersTunnel, connection.context.mostBodyBytes);
    this.sink = new StreamResponse(stream, head.method, this.#offersTunnel, this);
    stream.context = this;
  }

  /** Serves the request, which returns `true`, or passes on what has come of its body since. */
  settle(): boolean {
    this.#touched = false;
    const head = this.#head;
    this.#head = undefined;
    try {
      if (head !== undefined) this.#serve(head);
      else if (this.#exchange?.takesBody === true) this.#exchange.onClientBytes();
      else if (this.#body.ended && !this.#body.done) this.#expectNothing();
    } catch (error) {
      this.onFault(error);
    }
    return head !== undefined;
  }

  onBlocked(): void {
    this.#sentBytes = this.#stream.sentBytes;
    this.#takenBytes = this.#connection.taken.totalBytes;
    this.#hadRivals = this.#stream.rivals > 0;
    this.#watch(this.#clientMs);
  }

  /**
   * The client takes its response slowly, at the least rate of a request's body or more. Where the stream waits for others of
   * its connection, the client is to take as much for each of them: in what order they have their turns is not its choice.
   */
  get #takesSome(): boolean {
    const stream = this.#stream;
    if (!stream.awaitsWindow) return false;
    const leastBytes = leastBytesIn(this.#clientMs, this.#bodyBytesPerSecond);
    if (stream.sentBytes - this.#sentBytes >= leastBytes) return true;
    const sharers = Math.max(stream.rivals, this.#hadRivals ? 1 : 0);
    return sharers > 0 && this.#connection.taken.totalBytes - this.#takenBytes >= leastBytes * sharers;
  }

  get #bodyBytesPerSecond(): number {
    return this.#exchange?.isCall === true ? 0 : (this.#connection.context.timeouts.bodyBytesPerSecond ?? 0);
  }

  #serve(head: RequestHead): void {
    if (this.#stream.closed) return;
    const view = new Http2Request(head, this.#ended, !this.#connection.standsFor(head.authority));
    this.#begin(view.method).serve(view);
  }

  static refuse(connection: StreamConnection, stream: ServedStream, refused: RefusedRequest): void {
    new RequestStream(connection, stream, refused, true).#begin(refused.method).refuse(refused.error);
  }

  get body(): BodySource {
    return this;
  }

  get done(): boolean {
    return this.#body.done;
  }

  get trailers(): string {
    return this.#body.trailers;
  }

  get receivedBytes(): number {
    return this.#headBytes + this.#body.receivedBytes;
  }

  read(take: (bytes: Buffer, from: number, to: number) => void): ParseError | undefined {
    const outcome = this.#body.read(take);
    if (typeof outcome !== 'number') return outcome;
    if (outcome > 0) this.#stream.consumed(outcome);
    if (this.#body.done) this.#expectNothing();
    else if (this.#awaitsBody && this.#rate?.take(outcome) === true) this.#awaitBody();
    return undefined;
  }

  pause(): void {
    this.#expectNothing();
  }

  resume(): void {
    if (!this.#body.done && !this.#awaitsBody) this.#awaitBody();
  }

  onExchangeOver(end: 'complete' | 'cut'): void {
    this.#exchange = undefined;
    this.#awaitsBody = false;
    if (this.#tunnel !== undefined) return;
    if (end === 'cut') this.#stream.reset(ErrorCode.internalError);
    if (this.#stream.closed) this.#forget();
    // What waits for the client's window must leave in time.
    else this.onBlocked();
  }

  beginTunnel(head: ClientHead, _protocol: string, handler: ClientTunnelHandler): ClientTunnel | undefined {
    const flat = [...flatOfHead(head)];
    // The proof for a key that the client did not send (RFC 8441, section 5.1).
    const accept = flat.indexOf('sec-websocket-accept');
    if (accept !== -1) flat.splice(accept, 2);
    if (!this.#stream.sendHead(200, flat, false)) return undefined;
    this.sink.countHead(flat);
    this.#tunnel = new StreamTunnel(this.#stream, this, handler);
    // What came before the endpoint agreed.
    this.#body.read((bytes, from, to) => this.#tunnel?.onData(bytes.subarray(from, to)));
    if (this.#stream.remoteEnded) this.#tunnel.onEnd();
    return this.#tunnel;
  }

  sendTunnel(bytes: Buffer, from: number, to: number, end: boolean): boolean {
    // A tunnel counts its own bytes.
    this.#stream.sendData(bytes, from, to, end);
    return false;
  }

  linger(): void {
    // What its client has yet to take leaves first, as of every other stream.
    if (this.#stream.awaitsWindow) this.onBlocked();
    else if (!this.#stream.closed) this.#watch(lingerMs);
    setImmediate(guard(this, () => this.#tunnel?.onGone()));
  }

  // What the session reports.

  onData(bytes: Buffer, from: number, to: number): void {
    try {
      if (this.#tunnel !== undefined) {
        this.#tunnel.onData(Buffer.from(bytes.subarray(from, to)));
        return;
      }
      this.#body.add(bytes, from, to);
      this.#touch();
    } catch (error) {
      this.onFault(error);
    }
  }

  onTrailers(lines: string): void {
    this.#body.trailers = lines;
  }

  onEnd(): void {
    this.#guarded(() => {
      if (this.#tunnel !== undefined) {
        this.#tunnel.onEnd();
        return;
      }
      this.#body.end();
      this.#touch();
    });
  }

  onWindow(): void {
    this.#guarded(() => {
      if (this.#awaitsBody) this.#awaitBody();
      else this.#expectNothing();
      if (this.#tunnel !== undefined) this.#tunnel.onDrained();
      else this.#exchange?.onClientDrained();
    });
  }

  onReset(): void {
    this.#guarded(() => {
      if (this.#tunnel !== undefined) this.#tunnel.onGone();
      else this.#exchange?.onClientGone();
    });
    this.#forget();
  }

  onDeadline(): void {
    if (this.#stream.closed) this.#forget();
    else if (this.#takesSome) this.onBlocked();
    else if (this.#exchange !== undefined && this.#tunnel === undefined) this.#exchange.onClientStalled();
    else {
      this.#stream.reset(this.#tunnel === undefined ? ErrorCode.cancel : ErrorCode.noError);
      this.#forget();
    }
  }

  onFault(error: unknown): void {
    if (this.#exchange !== undefined) this.#exchange.onFault(error);
    else {
      const { logger } = this.#connection.context;
      logger.error({ err: error, peer: this.cache.info.peerAddress }, 'a stream failed');
      this.#stream.reset(ErrorCode.internalError);
    }
  }

  #touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    this.#connection.touch(this);
  }

  #begin(method: string): HttpExchange {
    const exchange = new HttpExchange(this, this.#connection.context, method, 'HTTP/2');
    this.#exchange = exchange;
    return exchange;
  }

  #awaitBody(): void {
    this.#awaitsBody = true;
    this.#rate ??= new MinimumDataRate(this.#bodyBytesPerSecond);
    this.#rate.begin(this.#clientMs);
    this.#watch(this.#clientMs);
  }

  #expectNothing(): void {
    this.#awaitsBody = false;
    // A response that waits for the client's window keeps its deadline.
    if (!this.#stream.awaitsWindow) this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  get #clientMs(): number {
    return this.#exchange?.clientMs ?? this.#connection.context.timeouts.clientMs;
  }

  #watch(ms: number): void {
    const { sweep } = this.#connection.context;
    this.deadlineMs = sweep.in(ms);
    if (this.#watched) return;
    this.#watched = true;
    sweep.add(this);
  }

  #forget(): void {
    this.deadlineMs = Number.POSITIVE_INFINITY;
    if (!this.#watched) return;
    this.#watched = false;
    this.#connection.context.sweep.remove(this);
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.onFault(error);
    }
  }
}
