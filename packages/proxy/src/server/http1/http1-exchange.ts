import type { Logger } from '@swarmgate/runtime';
import type { AccessRecord } from '../../exchange/access-record.ts';
import type { ForwardFailure } from '../../exchange/forward-failure.ts';
import { type AnswerSink, Forwarding, type ForwardingRoom } from '../../exchange/forwarding.ts';
import { localResponse } from '../../exchange/local-responses.ts';
import { lastChunk } from '../../http/chunked-reader.ts';
import type { ParseError } from '../../http/parse-error.ts';
import type { RequestHead } from '../../http/request-head.ts';
import type { BodyFraming, UpstreamHead } from '../../http/response-head.ts';
import type { Exchange, LocalResponse, Middleware } from '../../middleware/middleware.ts';
import type { Route } from '../../model/route.ts';
import { clientHead } from './client-text.ts';
import { type AfterAnswer, connectionLine, localResponseText } from './local-response-text.ts';
import type { RequestBody } from './request-body.ts';

/** The connection to the client, as one exchange uses it. */
export interface ClientSide {
  readonly draining: boolean;
  readonly address: string;
  /** Text as latin1 unless said otherwise. */
  writeText(text: string, encoding?: 'latin1' | 'utf8'): void;
  /** Head, piece and tail in one go. Answers `true` while `bytes` are still in use. */
  writePiece(before: string, bytes: Buffer, from: number, to: number, after: string): boolean;
  /** Whether the client keeps up. */
  readonly clogged: boolean;
  /** Feeds what has arrived of the body to `take`. */
  readBody(body: RequestBody, take: (piece: Buffer | string) => void): ParseError | undefined;
  pauseBody(): void;
  resumeBody(): void;
  onExchangeOver(after: 'keep-alive' | 'close' | 'break'): void;
}

export interface ExchangeRoom extends ForwardingRoom {
  readonly logger: Logger;
}

/** What was asked, once it has been decided that it is to be forwarded. */
export interface ForwardOrder {
  readonly route: Route;
  readonly steps: readonly Middleware[];
  /** Absent for plain requests of routes without steps. */
  readonly exchange: Exchange | undefined;
  readonly head: string;
}

// A piece up to this size is cheaper copied into the text of its head than sent beside it.
const copiedBytes = 16_384;

/** One request and its answer on a client's connection. */
export class RawExchange implements AnswerSink {
  readonly method: string;
  readonly wantsPayload: boolean;
  host = '';
  path = '';
  route: Route | undefined;
  clientAddress: string;
  readonly #client: ClientSide;
  readonly #room: ExchangeRoom;
  readonly #body: RequestBody;
  readonly #http10: boolean;
  readonly #clientPersistent: boolean;
  readonly #startedMs = performance.now();
  #forwarding: Forwarding | undefined;
  #order: ForwardOrder | undefined;
  #status = 0;
  #receivedBytes: number;
  #sentBytes = 0;
  #rechunk = false;
  #passChunks = false;
  #persistent = false;
  #over = false;

  constructor(client: ClientSide, room: ExchangeRoom, method: string, head: RequestHead, body: RequestBody) {
    this.#client = client;
    this.#room = room;
    this.method = method;
    this.#body = body;
    this.#http10 = head.minorVersion === 0;
    this.wantsPayload = this.#http10;
    this.#clientPersistent = head.persistent;
    this.#receivedBytes = head.end - head.start;
    this.clientAddress = client.address;
  }

  /** How long the client may be silent, where the route says so. */
  get clientMs(): number | undefined {
    return this.route?.destination.timeoutClientMs;
  }

  get bodyDone(): boolean {
    return this.#body.done;
  }

  /** Client's bytes may be given to `onClientBytes` now; else the client has to wait. */
  get takesBody(): boolean {
    return !this.#body.done && this.#forwarding?.takesBody === true;
  }

  forward(order: ForwardOrder): void {
    this.#order = order;
    this.route = order.route;
    let { head } = order;
    if (!this.#body.done) {
      const refusal = this.#client.readBody(this.#body, (piece) => {
        const text = typeof piece === 'string' ? piece : piece.toString('latin1');
        this.#receivedBytes += text.length;
        head += text;
      });
      if (refusal !== undefined) {
        this.refuse(refusal);
        return;
      }
    }
    const request = {
      route: order.route,
      method: this.method,
      text: head,
      whole: this.#body.done,
      stickTo: order.exchange?.stickTo,
    };
    // An endpoint that is not connected yet takes no more of the body than the retry of this request needs.
    if (!this.#body.done) this.#client.pauseBody();
    this.#forwarding = new Forwarding(this.#room, request, this);
    this.#forwarding.start();
  }

  /** An answer of the proxy's own. */
  answer(answer: LocalResponse): void {
    if (this.#over) return;
    // What stands behind a request that makes no sense need not be a request.
    const sound = answer.status !== 400 && answer.status !== 417;
    const persistent = sound && this.#clientPersistent && this.#body.done && !this.#client.draining;
    const text = localResponseText(answer, this.method, this.#after(persistent));
    this.#sentBytes += Buffer.byteLength(text);
    this.#client.writeText(text, 'utf8');
    this.#end(answer.status, answer.reason, persistent ? 'keep-alive' : 'close');
  }

  /** The body cannot be read: nothing that follows on this connection can. */
  refuse(refusal: ParseError): void {
    this.#forwarding?.cancel();
    const answer = localResponse(refusal.answer);
    if (this.#status !== 0) this.#end(answer.status, refusal.cause, 'break');
    else this.answer(answer);
  }

  /** More of the client's body has arrived, or the endpoint takes more of it. */
  onClientBytes(): void {
    const forwarding = this.#forwarding;
    if (forwarding === undefined || this.#body.done) return;
    let keepsUp = true;
    const refusal = this.#client.readBody(this.#body, (piece) => {
      this.#receivedBytes += piece.length;
      keepsUp = forwarding.writeBody(piece);
    });
    if (refusal !== undefined) {
      this.refuse(refusal);
      return;
    }
    if (this.#body.done) {
      forwarding.endBody();
      this.#client.resumeBody();
    } else if (keepsUp) this.#client.resumeBody();
    else this.#client.pauseBody();
  }

  onWritable(): void {
    this.onClientBytes();
  }

  onClientDrained(): void {
    this.#forwarding?.resumeAnswer();
  }

  onClientGone(): void {
    if (this.#over) return;
    this.#forwarding?.cancel();
    this.#end(499, 'client-gone', 'break');
  }

  /** The client was silent in the middle of its body, or does not read its answer. */
  onClientStalled(): void {
    if (this.#over) return;
    this.#forwarding?.cancel();
    if (this.#status === 0) this.answer(localResponse('request-timeout'));
    else this.#end(408, 'request-timeout', 'break');
  }

  onInterim(head: UpstreamHead, bytes: Buffer): void {
    // HTTP/1.0 clients know no interim answers (RFC 9110, section 15.2).
    if (this.#http10) return;
    const text = clientHead(head, bytes, '', undefined);
    if (text !== undefined) this.#client.writeText(text);
  }

  onHead(head: UpstreamHead, bytes: Buffer, framing: BodyFraming, from: number, to: number, complete: boolean) {
    this.#passChunks = framing === 'chunked' && !this.#http10;
    this.#rechunk = framing === 'until-close' && !this.#http10;
    const endsByClose = this.#http10 && (framing === 'chunked' || framing === 'until-close');
    // Where the endpoint answers before it has the whole body, the rest of it stands before the next request.
    this.#persistent = this.#clientPersistent && this.#body.done && !endsByClose && !this.#client.draining;
    const chunkedLine = this.#passChunks || this.#rechunk ? 'Transfer-Encoding: chunked\r\n' : '';
    const added = chunkedLine + connectionLine(this.#after(this.#persistent));
    const text = this.#headFor(head, bytes, added);
    if (text === undefined) {
      this.#forwarding?.cancel();
      this.answer(localResponse('internal-error'));
      return false;
    }
    this.#status = head.status;
    // A whole answer in one piece ends when its head came: the clock need not be asked twice.
    return this.#send(text, bytes, from, to, complete, this.#forwarding?.headAtMs);
  }

  onBody(bytes: Buffer, from: number, to: number, complete: boolean, held: string): boolean {
    return this.#send(held, bytes, from, to, complete);
  }

  onFailure(failure: ForwardFailure, answered: boolean): void {
    this.#room.logger.warn(
      { service: this.route?.key, endpoint: this.#forwarding?.endpoint?.id, reason: failure },
      'an endpoint failed',
    );
    if (answered) this.#end(this.#status, 'answer-truncated', 'break');
    else this.answer(localResponse(failure));
  }

  #send(before: string, bytes: Buffer, from: number, to: number, complete: boolean, nowMs?: number): boolean {
    const length = to - from;
    let start = before;
    let tail = '';
    if (this.#rechunk && length > 0) {
      start += `${length.toString(16)}\r\n`;
      tail = '\r\n';
    }
    if (complete) {
      if (this.#rechunk) tail += '0\r\n\r\n';
      else if (this.#passChunks) tail = lastChunk(this.#forwarding?.trailers ?? '');
    }
    this.#sentBytes += start.length + length + tail.length;
    let inUse = false;
    if (length <= copiedBytes) {
      const text = length === 0 ? start + tail : start + bytes.toString('latin1', from, to) + tail;
      if (text !== '') this.#client.writeText(text);
    } else inUse = this.#client.writePiece(start, bytes, from, to, tail);
    if (complete) this.#end(this.#status, undefined, this.#persistent ? 'keep-alive' : 'close', nowMs);
    else if (this.#client.clogged) this.#forwarding?.pauseAnswer();
    return inUse;
  }

  /** `undefined` where a step has failed, or has made the head unsendable. */
  #headFor(head: UpstreamHead, bytes: Buffer, added: string): string | undefined {
    try {
      return clientHead(head, bytes, added, this.#onHeaders());
    } catch (error) {
      this.#room.logger.error({ err: error, path: this.path }, 'a step failed on an answer');
      return undefined;
    }
  }

  #onHeaders() {
    const order = this.#order;
    const exchange = order?.exchange;
    const endpoint = this.#forwarding?.endpoint;
    if (order === undefined || exchange === undefined || endpoint === undefined) return undefined;
    const steps = order.steps.filter((step) => step.onResponse !== undefined);
    if (steps.length === 0) return undefined;
    return (status: number, headers: Exchange['request']) => {
      for (const step of steps) step.onResponse?.(exchange, { status, headers, endpoint });
    };
  }

  #after(persistent: boolean): AfterAnswer {
    if (!persistent) return 'close';
    return this.#http10 ? 'keep-alive' : 'implied';
  }

  #end(status: number, reason: string | undefined, after: 'keep-alive' | 'close' | 'break', nowMs?: number): void {
    if (this.#over) return;
    this.#over = true;
    const headAtMs = this.#forwarding?.headAtMs;
    const report: AccessRecord = {
      route: this.route,
      endpoint: this.#forwarding?.endpoint,
      method: this.method,
      host: this.host,
      path: this.path,
      status,
      reason,
      durationMs: (nowMs ?? performance.now()) - this.#startedMs,
      upstreamMs: headAtMs === undefined ? undefined : headAtMs - this.#startedMs,
      retries: this.#forwarding?.retries ?? 0,
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
      clientAddress: this.clientAddress,
      lane: 'raw',
    };
    this.#room.context.observe(report);
    this.#client.onExchangeOver(after);
  }
}
