import type { Socket } from 'node:net';
import type { EntrypointSetting } from '@swarmgate/runtime';
import { type ConnectionInfo, connectionInfo } from '../../exchange/client-connection.ts';
import { localResponse } from '../../exchange/local-responses.ts';
import type { ParseError } from '../../http/parse-error.ts';
import type { RequestHead } from '../../http/request-head.ts';
import { cutOff } from '../../transport/cut-off.ts';
import type { Timed } from '../../transport/deadline-sweep.ts';
import { MinimumDataRate } from '../minimum-data-rate.ts';
import type { ConnectionRoom } from './connection-room.ts';
import { type ConnectionMemory, type Decision, decide } from './decide.ts';
import { type ClientSide, RawExchange } from './http1-exchange.ts';
import { localResponseText } from './local-response-text.ts';
import { refusedReport } from './refused-report.ts';
import { RequestBody } from './request-body.ts';
import { UnreadBytes } from './unread-bytes.ts';
import { AddedLines } from './upstream-text.ts';

type Stage =
  /** Between requests, or in the middle of a head. */
  | 'reading-head'
  | 'deciding'
  | 'forwarding'
  /** The last answer is out; what still comes is read and dropped so that a reset does not destroy the answer. */
  | 'closing'
  | 'left';

const LF = 0x0a;
const lingerMs = 2_000;
/** While draining, a connection that has been idle for so long is closed: its client is not about to send. */
const drainIdleMs = 1_000;

/** One client's connection: reads requests one after the other, answers in that order. */
export class RawConnection implements Timed, ClientSide {
  readonly #socket: Socket;
  readonly #room: ConnectionRoom;
  readonly #entrypoint: EntrypointSetting;
  readonly #facts: ConnectionInfo;
  readonly #memory: ConnectionMemory;
  deadlineMs: number;
  #stage: Stage = 'reading-head';
  #exchange: RawExchange | undefined;
  readonly #unread = new UnreadBytes();
  #reading = false;
  #paused = false;
  /** The client is to send more of its body. */
  #awaitsBody = false;
  #pace: MinimumDataRate | undefined;

  constructor(socket: Socket, entrypoint: EntrypointSetting, room: ConnectionRoom) {
    this.#socket = socket;
    this.#room = room;
    this.#entrypoint = entrypoint;
    this.#facts = connectionInfo(socket, entrypoint, room.trusted);
    const { peerAddress, secure, entryPort } = this.#facts;
    const added = new AddedLines(peerAddress, secure ? 'https' : 'http', entryPort, room.viaName, room.writesForwarded);
    this.#memory = { facts: this.#facts, added, sentHost: '', host: '' };
    this.deadlineMs = room.sweep.in(room.timeouts.headMs);
  }

  start(firstBytes: Buffer | undefined): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
    this.#room.sweep.add(this);
    if (firstBytes !== undefined && firstBytes.length > 0) this.#onData(firstBytes);
  }

  get draining(): boolean {
    return this.#room.draining;
  }

  get address(): string {
    return this.#facts.peerAddress;
  }

  get clogged(): boolean {
    return this.#socket.writableNeedDrain;
  }

  get idle(): boolean {
    return this.#stage === 'reading-head' && this.#unread.bytes === undefined;
  }

  /** From now on answers say `Connection: close`. A busy client gets one more answer, a quiet one is closed. */
  drain(): void {
    if (this.idle) this.deadlineMs = Math.min(this.deadlineMs, this.#room.sweep.in(drainIdleMs));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  writeText(text: string, encoding: 'latin1' | 'utf8' = 'latin1'): void {
    if (!this.#socket.write(text, encoding)) this.#expectDrain();
  }

  writePiece(before: string, bytes: Buffer, from: number, to: number, after: string): boolean {
    const socket = this.#socket;
    socket.cork();
    if (before !== '') socket.write(Buffer.from(before, 'latin1'));
    socket.write(bytes.subarray(from, to));
    if (after !== '') socket.write(Buffer.from(after, 'latin1'));
    socket.uncork();
    if (socket.writableNeedDrain) this.#expectDrain();
    return socket.writableLength > 0;
  }

  readBody(body: RequestBody, take: (piece: Buffer | string) => void): ParseError | undefined {
    const { bytes, at } = this.#unread;
    if (bytes === undefined) return undefined;
    const outcome = body.read(bytes, at, bytes.length, take);
    if (typeof outcome !== 'number') return outcome;
    this.#unread.takeTo(outcome);
    if (body.done) {
      this.#awaitsBody = false;
      this.deadlineMs = Number.POSITIVE_INFINITY;
    } else if (this.#awaitsBody && this.#pace?.take(outcome - at) === true) this.#awaitBody();
    return undefined;
  }

  pauseBody(): void {
    // While the endpoint does not take the body, silence is not the client's.
    this.#awaitsBody = false;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#pause();
  }

  resumeBody(): void {
    if (this.#exchange?.bodyDone === false && !this.#awaitsBody) this.#awaitBody();
    if (this.#unread.bytes === undefined) this.#resume();
  }

  onExchangeOver(after: 'keep-alive' | 'close' | 'break'): void {
    this.#exchange = undefined;
    this.#awaitsBody = false;
    if (this.#stage === 'left') return;
    if (after === 'break') {
      this.#stage = 'closing';
      cutOff(this.#socket);
    } else if (after === 'close') this.#close();
    else {
      this.#stage = 'reading-head';
      this.deadlineMs = this.#room.sweep.in(this.#room.timeouts.keepAliveMs);
      if (this.draining) this.drain();
      if (this.#unread.bytes !== undefined && !this.#reading) this.#readHeads();
      else if (this.#paused && this.#unread.bytes === undefined) this.#resume();
    }
  }

  onDeadline(): void {
    switch (this.#stage) {
      case 'reading-head':
        // Half a head is answered; a connection that only stayed idle is closed without a word.
        if (this.#unread.bytes === undefined) this.#socket.destroySoon();
        else this.#refuse('request-timeout', undefined);
        this.deadlineMs = this.#room.sweep.in(lingerMs);
        return;
      case 'forwarding':
        if (this.#exchange === undefined) this.#socket.destroy();
        else this.#exchange.onClientStalled();
        return;
      default:
        this.#socket.destroy();
    }
  }

  readonly #onData = (chunk: Buffer): void => {
    switch (this.#stage) {
      case 'reading-head':
        this.#unread.append(chunk);
        // Without a line end there is nothing new to judge, whatever trickles in.
        if (this.#unread.bytes !== chunk && chunk.indexOf(LF) === -1 && this.#unread.length < headLookBytes) return;
        this.#readHeads();
        return;
      case 'forwarding':
        this.#unread.append(chunk);
        if (this.#exchange?.takesBody === true) this.#exchange.onClientBytes();
        else this.#pause();
        return;
      case 'deciding':
        this.#unread.append(chunk);
        this.#pause();
        return;
      default:
    }
  };

  readonly #onEnd = (): void => {
    if (this.#exchange === undefined) this.#socket.end();
    else {
      // A client that closes and one that only stops sending look alike here; nearly all have gone, and what an endpoint
      // still does for them is wasted.
      this.#exchange.onClientGone();
      this.#socket.destroy();
    }
  };

  readonly #onError = (): void => {
    // 'close' follows and tells all that is acted upon.
  };

  readonly #onClose = (): void => {
    const exchange = this.#exchange;
    this.#leave();
    exchange?.onClientGone();
  };

  readonly #onDrain = (): void => {
    if (this.#stage === 'forwarding') {
      if (this.#awaitsBody) this.#awaitBody();
      else this.deadlineMs = Number.POSITIVE_INFINITY;
      this.#exchange?.onClientDrained();
    } else if (this.#stage === 'reading-head') {
      this.deadlineMs = this.#room.sweep.in(this.#room.timeouts.keepAliveMs);
      if (this.#unread.bytes !== undefined) this.#readHeads();
      else this.#resume();
    }
  };

  /** Serves what has been read, head after head, for as long as answers are given at once. */
  #readHeads(): void {
    this.#reading = true;
    while (this.#stage === 'reading-head' && this.#unread.bytes !== undefined) {
      // A client that sends requests without reading answers must not fill our memory with them.
      if (this.#socket.writableNeedDrain) {
        this.#pause();
        break;
      }
      if (!this.#readHead(this.#unread.bytes)) break;
    }
    this.#reading = false;
  }

  /** `false`: the head is not whole yet. */
  #readHead(bytes: Buffer): boolean {
    const { head, sweep, timeouts } = this.#room;
    const outcome = head.parse(bytes, this.#unread.at, bytes.length);
    if (outcome === 'incomplete') {
      if (this.#exchange === undefined && !this.#inHead) {
        this.#inHead = true;
        this.deadlineMs = sweep.in(timeouts.headMs);
      }
      if (this.#paused) this.#resume();
      return false;
    }
    this.#inHead = false;
    if (outcome !== 'complete') {
      this.#refuse(outcome.answer, outcome.cause);
      return true;
    }
    this.#serve(bytes, head);
    return true;
  }

  #inHead = false;

  #serve(bytes: Buffer, head: RequestHead): void {
    const method = head.method(bytes);
    const exchange = new RawExchange(this, this.#room, method, head, new RequestBody(head, this.#room.mostBodyBytes));
    this.#exchange = exchange;
    this.#stage = 'deciding';
    this.deadlineMs = Number.POSITIVE_INFINITY;
    const headStart = this.#unread.at;
    const headEnd = head.end;
    const decision = this.#decide(bytes, head, exchange);
    if (!(decision instanceof Promise)) {
      this.#follow(decision, exchange, headStart, headEnd);
      return;
    }
    this.#unread.takeTo(headEnd);
    decision.then(
      (late) => {
        if (this.#stage === 'deciding') this.#follow(late, exchange, headStart, undefined);
      },
      (error: unknown) => {
        const failed = this.#onStepFailed(error, exchange);
        if (this.#stage === 'deciding') this.#follow(failed, exchange, headStart, undefined);
      },
    );
  }

  /** A step that throws costs its own request, not the process and all the others in it. */
  #decide(bytes: Buffer, head: RequestHead, exchange: RawExchange): Decision | Promise<Decision> {
    try {
      return decide(head, bytes, exchange.method, this.#memory, this.#room, exchange);
    } catch (error) {
      return this.#onStepFailed(error, exchange);
    }
  }

  #onStepFailed(error: unknown, exchange: RawExchange): Decision {
    this.#room.logger.error({ err: error, path: exchange.path }, 'a request could not be handled');
    return { kind: 'answer', answer: localResponse('internal-error') };
  }

  #follow(decision: Decision, exchange: RawExchange, headStart: number, headEnd: number | undefined): void {
    if (decision.kind === 'hand-over') {
      this.#unread.at = headStart;
      this.#handOver();
      return;
    }
    if (headEnd !== undefined) this.#unread.takeTo(headEnd);
    this.#stage = 'forwarding';
    if (decision.kind === 'answer') exchange.answer(decision.answer);
    else exchange.forward(decision.order);
    // Bytes behind this request wait for its answer.
    if (this.#stage === 'forwarding' && this.#unread.bytes !== undefined && !exchange.takesBody) this.#pause();
  }

  #handOver(): void {
    const bytes = this.#unread.rest();
    const socket = this.#socket;
    this.#exchange = undefined;
    this.#leave();
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onError);
    socket.off('close', this.#onClose);
    socket.off('drain', this.#onDrain);
    socket.pause();
    this.#room.handOver(this, socket, this.#entrypoint, bytes);
    socket.resume();
  }

  #refuse(reason: Parameters<typeof localResponse>[0], cause: string | undefined): void {
    const answer = localResponse(reason);
    const text = localResponseText(answer, '', 'close');
    const bytes = { sent: text.length, received: this.#unread.length };
    this.#room.context.observe(refusedReport(answer, cause, bytes, this.address));
    this.writeText(text);
    this.#close();
  }

  #close(): void {
    this.#stage = 'closing';
    this.#unread.clear();
    this.deadlineMs = this.#room.sweep.in(lingerMs);
    this.#socket.end();
    this.#resume();
  }

  #leave(): void {
    this.#stage = 'left';
    this.#exchange = undefined;
    this.#room.sweep.remove(this);
    this.#room.forget(this);
  }

  #expectDrain(): void {
    this.deadlineMs = this.#clientDeadline();
  }

  #awaitBody(): void {
    this.#awaitsBody = true;
    this.#pace ??= new MinimumDataRate(this.#room.timeouts.bodyBytesPerSecond ?? 0);
    this.#pace.begin(this.#clientMs);
    this.deadlineMs = this.#clientDeadline();
  }

  get #clientMs(): number {
    return this.#exchange?.clientMs ?? this.#room.timeouts.clientMs;
  }

  #clientDeadline(): number {
    return this.#room.sweep.in(this.#clientMs);
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }
}

// A head this long is judged even without a new line end, because it may be over its limit.
const headLookBytes = 8_192;
