import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { type EntrypointSetting, guard } from '@swarmgate/runtime';
import { type ConnectionCache, connectionCacheOf } from '../../../exchange/connection-cache.ts';
import { ErrorCode } from '../../../http/http2/frames.ts';
import { isRefused, validateRequest } from '../../../http/http2/message-head.ts';
import { isMalformed } from '../../../http/http2/session-events.ts';
import type { SessionOptions } from '../../../http/http2/session-options.ts';
import type { Timed } from '../../../transport/deadline-sweep.ts';
import { closeSilent } from '../../../transport/reset.ts';
import { type TurnWriter, writeAtTurnEnd } from '../../../transport/turn-end.ts';
import { TakenOutput } from '../../taken-output.ts';
import type { DrainableConnection } from '../../tracked-connections.ts';
import type { Http2Context } from '../connection-context.ts';
import { CoveredAuthorities } from '../covered-authorities.ts';
import { RequestStream, type StreamConnection } from '../request-stream.ts';
import { decodedFields, ReferenceStream } from './reference-stream.ts';

const endStreamFlag = 0x1;

/** One client's connection, whose framing and HPACK are those of node:http2. */
export class ReferenceConnection implements StreamConnection, DrainableConnection, Timed, TurnWriter {
  readonly cache: ConnectionCache;
  readonly context: Http2Context;
  readonly taken: TakenOutput;
  trackPlace = -1;
  /** Of its end: node:http2 waits for a client that does not close for as long as it stays. */
  deadlineMs = Number.POSITIVE_INFINITY;
  sweepPlace = -1;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #covered: CoveredAuthorities;
  readonly #limits: SessionOptions;
  #touched: RequestStream[] = [];
  #openStreams = 0;

  constructor(socket: Socket, entrypoint: EntrypointSetting, context: Http2Context, limits: SessionOptions) {
    this.context = context;
    this.#socket = socket;
    this.#limits = limits;
    this.cache = connectionCacheOf(socket, entrypoint, context, '2.0');
    this.taken = new TakenOutput(socket);
    this.#covered = new CoveredAuthorities(socket);
    socket.setNoDelay(true);
    const session = performServerHandshake(socket, {
      settings: { enableConnectProtocol: true, maxConcurrentStreams: limits.maxConcurrentStreams },
      maxHeaderListPairs: limits.maxFields + 8,
      // Fields that may be sent once are passed on as the endpoint sent them.
      strictSingleValueFields: false,
    });
    this.#session = session;
    // A client that closes and one that only stops sending look alike here; nearly all have gone.
    socket.on(
      'end',
      guard(this, () => {
        session.destroy();
        this.#awaitClose();
      }),
    );
    // The session does not report its own end where a reset comes before it has written what it had.
    socket.on(
      'close',
      guard(this, () => {
        context.sweep.remove(this);
        context.forget(this);
      }),
    );
    const onStream = guard(this, (stream: ServerHttp2Stream, given: { flags: number; raw: string[] }) =>
      this.#onStream(stream, given.flags, given.raw),
    );
    session.on('stream', (stream, _fields: IncomingHttpHeaders, flags: number, raw: string[]) =>
      onStream(stream, { flags, raw }),
    );
    session.on(
      'error',
      guard(this, (error: Error) => {
        context.logger.debug({ err: error }, 'a connection of node:http2 failed');
        this.#awaitClose();
      }),
    );
    session.on(
      'goaway',
      guard(this, () => this.#awaitClose()),
    );
    session.setTimeout(
      context.timeouts.keepAliveMs,
      guard(this, () => {
        session.close();
        this.#awaitClose();
      }),
    );
  }

  standsFor(authority: string): boolean {
    return this.#covered.standsFor(authority);
  }

  touch(stream: RequestStream): void {
    if (this.#touched.push(stream) === 1) writeAtTurnEnd(this, 'client');
  }

  onTurnEnd(): void {
    const touched = this.#touched;
    this.#touched = [];
    for (const stream of touched) stream.settle();
  }

  drain(): void {
    this.#session.close();
    this.#awaitClose();
  }

  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  onDeadline(): void {
    // Its streams have deadlines of their own.
    if (this.#openStreams > 0) this.#awaitClose();
    else closeSilent(this.#socket);
  }

  #awaitClose(): void {
    if (this.#socket.closed) return;
    this.deadlineMs = this.context.sweep.in(this.context.timeouts.clientMs);
    this.context.sweep.add(this);
  }

  onFault(error: unknown): void {
    this.context.logger.error({ err: error, peer: this.cache.info.peerAddress }, 'a connection failed');
    this.#session.destroy();
    this.#awaitClose();
  }

  #onStream(given: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    const { maxFields, maxHeadBytes } = this.#limits;
    const ended = (flags & endStreamFlag) !== 0;
    const stream = new ReferenceStream(given, ended);
    this.#openStreams += 1;
    given.on(
      'close',
      guard(this, () => {
        this.#openStreams -= 1;
      }),
    );
    const head = validateRequest(decodedFields(raw, maxHeadBytes), { maxFields, connectProtocol: true });
    if (isRefused(head)) {
      RequestStream.refuse(this, stream, head);
      given.on(
        'error',
        guard(this, () => undefined),
      );
      stream.reset(isMalformed(head.error) ? ErrorCode.protocolError : ErrorCode.noError);
      return;
    }
    stream.isTunnel = head.method === 'CONNECT';
    const request = new RequestStream(this, stream, head, ended);
    stream.lead(request, maxFields);
    this.touch(request);
  }
}
