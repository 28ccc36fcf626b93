import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import { SwarmgateError } from '@swarmgate/runtime';
import { headersForClient } from '../../exchange/header-policy.ts';
import { allowedTrailers } from '../../http/chunked-reader.ts';
import { HeadText } from '../../http/head-text.ts';
import type { BodyFraming, UpstreamHead } from '../../http/response-head.ts';
import { MinimumDataRate } from '../../server/minimum-data-rate.ts';
import type { ConnectionPool, ReusePolicy, Waiter } from '../../transport/connection-pool.ts';
import { cutOff } from '../../transport/cut-off.ts';
import type { Timed } from '../../transport/deadline-sweep.ts';
import type { ConnectionFault, EndpointConnection, ResponseReceiver } from '../../transport/endpoint-connection.ts';
import type { Attempt, AttemptFailure, AttemptResult } from '../forwarder.ts';

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
// A piece up to this size is cheaper copied than its buffer replaced.
const copiedBytes = 16_384;

/** One try to forward a node:http request to one endpoint, over the shared connections. */
export class CoreAttempt implements ResponseReceiver, Waiter, Timed {
  readonly wantsPayload = true;
  /** While the client is to do something: send, or read. */
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #pool: ConnectionPool;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #attempt: Attempt;
  readonly #pace: MinimumDataRate;
  readonly #head: string;
  readonly #method: string;
  readonly #chunked: boolean;
  readonly #carriesBody: boolean;
  readonly #startedMs = performance.now();
  #settle: (result: AttemptResult) => void = () => undefined;
  #throw: (error: unknown) => void = () => undefined;
  #connection: EndpointConnection | undefined;
  #waiting = false;
  #feeding = false;
  #bodyBytes = 0;
  #freshTried = false;
  #status = 0;
  #headMs = 0;
  #transform: Transform | undefined;
  #flushed = false;
  #over = false;

  constructor(
    pool: ConnectionPool,
    request: IncomingMessage,
    response: ServerResponse,
    attempt: Attempt,
    head: string,
  ) {
    this.#pool = pool;
    this.#request = request;
    this.#response = response;
    this.#attempt = attempt;
    this.#pace = new MinimumDataRate(attempt.timeouts.bodyBytesPerSecond ?? 0);
    this.#head = head;
    this.#method = request.method ?? 'GET';
    this.#chunked = request.headers['transfer-encoding'] !== undefined;
    this.#carriesBody = this.#chunked || Number(request.headers['content-length'] ?? 0) > 0;
  }

  run(): Promise<AttemptResult> {
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#throw = reject;
      // It left while the route's steps were thinking: its 'close' has come and gone.
      if (this.#response.destroyed || this.#request.socket.destroyed) {
        this.#done({ kind: 'client-gone' });
        return;
      }
      this.#response.once('close', this.#onClientClose);
      this.#response.on('drain', this.#onClientDrained);
      this.#pool.sweep.add(this);
      this.#take(idempotent.has(this.#method) ? 'any' : 'recent');
    });
  }

  onConnection(connection: EndpointConnection): void {
    this.#waiting = false;
    this.#connection = connection;
    connection.send(this.#head, this.#method, !this.#carriesBody, this.#attempt.timeouts.serverMs, this);
    if (connection.connected) this.onConnected();
  }

  onQueueTimeout(): void {
    this.#waiting = false;
    this.#fail('queue-timeout', 'no', 'no connection became free in time');
  }

  /** Nothing is read of the body before: until then the request can go to another endpoint. */
  onConnected(): void {
    if (!this.#carriesBody || this.#feeding) return;
    this.#feeding = true;
    this.#request.on('data', this.#onClientBytes);
    this.#request.once('end', this.#onClientEnd);
    this.#expectBody();
  }

  onWritable(): void {
    if (!this.#feeding) return;
    this.#expectBody();
    this.#request.resume();
  }

  onInterim(head: UpstreamHead, bytes: Buffer): void {
    const response = this.#response;
    if (response.headersSent || this.#request.httpVersionMinor === 0) return;
    if (head.status === 100) response.writeContinue();
    else if (head.status === 102) response.writeProcessing();
    else if (head.status === 103) {
      const { flat } = headersForClient(textOf(head, bytes).flat());
      const hints: Record<string, string[]> = {};
      for (let at = 0; at < flat.length; at += 2) {
        const name = (flat[at] as string).toLowerCase();
        hints[name] = [...(hints[name] ?? []), flat[at + 1] as string];
      }
      // node:http sends none without a Link.
      if (hints.link !== undefined) response.writeEarlyHints(hints);
    }
  }

  onHead(head: UpstreamHead, bytes: Buffer, _framing: BodyFraming, from: number, to: number, complete: boolean) {
    this.#status = head.status;
    this.#headMs = performance.now() - this.#startedMs;
    try {
      this.#writeHead(head, bytes);
    } catch (error) {
      // A step of the route, or node:http on what a step has put into the head: this exchange's trouble only.
      this.#connection?.abandon();
      this.#leave();
      this.#throw(error);
      return false;
    }
    if (this.#transform !== undefined) this.#connectTransform(this.#transform);
    const inUse = this.#send(bytes, from, to, complete);
    // Pieces that came with the head follow in this very turn and go out with it; else the head goes alone.
    if (!this.#flushed) process.nextTick(this.#flushHead);
    return inUse;
  }

  #writeHead(head: UpstreamHead, bytes: Buffer): void {
    const text = textOf(head, bytes);
    const headers = headersForClient(text.flat());
    this.#attempt.onHead(head.status, headers);
    if (head.hasStrayLength) headers.delete('content-length');
    this.#transform = this.#attempt.transformFor?.(head.status, headers);
    this.#response.writeHead(head.status, text.slice(head.reasonStart, head.reasonEnd), headers.flat);
  }

  onBody(bytes: Buffer, from: number, to: number, complete: boolean): boolean {
    return this.#send(bytes, from, to, complete);
  }

  onBroken(fault: ConnectionFault): void {
    if (this.#over) return;
    if (this.#status !== 0) {
      this.#breakOff();
      return;
    }
    const connection = this.#connection;
    const stale = fault.kind === 'closed' && connection !== undefined && connection.served > 0 && !connection.answering;
    // A connection that closes without a byte was idle for too long; the endpoint itself may be well.
    if (stale && !this.#freshTried && !this.#carriesBody && idempotent.has(this.#method)) {
      this.#freshTried = true;
      this.#take('fresh');
      return;
    }
    switch (fault.kind) {
      case 'connect-timeout':
        this.#fail('connect-timeout', 'never-sent', `no connection to ${this.#attempt.endpoint.id} in time`);
        return;
      case 'refused':
        this.#fail('endpoint-unreachable', 'never-sent', describe(fault.error, 'refused'));
        return;
      case 'silent':
        this.#fail('head-timeout', 'no', `no answer within ${this.#attempt.timeouts.serverMs} ms`);
        return;
      case 'invalid':
        this.#fail('endpoint-answer-invalid', 'no', fault.cause);
        return;
      default:
        this.#fail(
          'endpoint-unreachable',
          connection?.answering ? 'no' : 'unanswered',
          describe(fault.error, 'closed'),
        );
    }
  }

  onSilence(): void {
    const connection = this.#connection;
    const { endpoint, mayLeave } = this.#attempt;
    if (connection === undefined || mayLeave === undefined) return;
    this.#pool.probes.ask(endpoint, () => {
      if (this.#over || this.#connection !== connection || connection.answering || !mayLeave()) return;
      connection.abandon();
      this.#fail('endpoint-unreachable', 'unanswered', `${endpoint.id} accepts no connection any more`);
    });
  }

  onDeadline(): void {
    this.#giveUpOnClient('client-stalled');
  }

  #giveUpOnClient(kind: 'client-stalled' | 'body-too-large'): void {
    const headSent = this.#status !== 0;
    this.#connection?.abandon();
    if (kind === 'body-too-large') this.#stopFeeding();
    this.#done({ kind, headSent });
    if (headSent) this.#response.destroy();
  }

  #take(wanted: ReusePolicy): void {
    const { endpoint, mostConnectMs } = this.#attempt;
    const connection = this.#pool.take(endpoint, wanted, mostConnectMs);
    if (connection !== undefined) {
      this.onConnection(connection);
      return;
    }
    this.#waiting = this.#pool.wait(endpoint, this);
    if (!this.#waiting) this.#fail('queue-full', 'no', 'too many requests wait for a connection');
  }

  #send(bytes: Buffer, from: number, to: number, complete: boolean): boolean {
    const length = to - from;
    const target = this.#transform ?? this.#response;
    let inUse = false;
    if (complete && length <= copiedBytes && this.#transform === undefined) {
      this.#finish(length === 0 ? undefined : bytes.toString('latin1', from, to));
      return false;
    }
    if (length > 0) {
      this.#flushed = true;
      inUse = length > copiedBytes;
      const piece = inUse ? bytes.subarray(from, to) : Buffer.from(bytes.subarray(from, to));
      if (!target.write(piece) && !complete) this.#waitForClient();
    }
    if (complete) this.#finish(undefined);
    return inUse;
  }

  #finish(last: string | undefined): void {
    this.#flushed = true;
    // An early answer: the rest of the body is read and dropped, so that the next request is found where it begins.
    this.#stopFeeding();
    if (this.#transform !== undefined) {
      this.#transform.end();
      return;
    }
    const response = this.#response;
    const trailers = this.#connection?.trailers ?? '';
    if (trailers !== '') response.addTrailers(pairsOf(allowedTrailers(trailers)));
    this.deadlineMs = this.#pool.sweep.in(this.#attempt.timeouts.clientMs);
    if (last === undefined) response.end(this.#onAnswered);
    else response.end(last, 'latin1', this.#onAnswered);
  }

  #connectTransform(transform: Transform): void {
    transform.on('data', (piece: Buffer) => {
      if (!this.#response.write(piece)) transform.pause();
    });
    transform.on('drain', () => this.#onClientDrained());
    transform.on('error', () => this.#breakOff());
    transform.once('end', () => this.#response.end(this.#onAnswered));
  }

  readonly #onAnswered = (): void => this.#done({ kind: 'answered', status: this.#status, headMs: this.#headMs });

  readonly #flushHead = (): void => {
    if (this.#flushed || this.#over) return;
    this.#flushed = true;
    this.#response.flushHeaders();
  };

  readonly #onClientBytes = (piece: Buffer): void => {
    const connection = this.#connection;
    if (connection === undefined || this.#over) return;
    const { mostBodyBytes = 0 } = this.#attempt;
    this.#bodyBytes += piece.length;
    if (mostBodyBytes > 0 && this.#bodyBytes > mostBodyBytes) {
      this.#giveUpOnClient('body-too-large');
      return;
    }
    if (this.#pace.take(piece.length)) this.#expectBody();
    if (this.#chunked) connection.writeBody(`${piece.length.toString(16)}\r\n`);
    let keepsUp = connection.writeBody(piece);
    if (this.#chunked) keepsUp = connection.writeBody('\r\n');
    if (keepsUp) return;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#request.pause();
  };

  readonly #onClientEnd = (): void => {
    const connection = this.#connection;
    this.#feeding = false;
    if (this.#status === 0) this.deadlineMs = Number.POSITIVE_INFINITY;
    if (connection === undefined || this.#over) return;
    if (this.#chunked) connection.writeBody(`0\r\n${trailerLines(this.#request.rawTrailers)}\r\n`);
    connection.endBody();
  };

  readonly #onClientDrained = (): void => {
    this.#transform?.resume();
    if (this.#feeding && !this.#request.isPaused()) this.#expectBody();
    else this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#connection?.resume();
  };

  // An arrow, so that the next attempt does not leave a listener of this one behind.
  readonly #onClientClose = (): void => {
    if (this.#over) return;
    if (this.#waiting) this.#pool.forget(this.#attempt.endpoint, this);
    this.#connection?.abandon();
    this.#done({ kind: 'client-gone' });
  };

  #waitForClient(): void {
    this.#connection?.pause();
    this.#expectClient();
  }

  #expectBody(): void {
    this.#pace.begin(this.#attempt.timeouts.clientMs);
    this.#expectClient();
  }

  #expectClient(): void {
    this.deadlineMs = this.#pool.sweep.in(this.#attempt.timeouts.clientMs);
  }

  #stopFeeding(): void {
    if (!this.#feeding) return;
    this.#feeding = false;
    this.#request.off('data', this.#onClientBytes);
    this.#request.off('end', this.#onClientEnd);
    this.#request.resume();
  }

  #fail(reason: AttemptFailure, replayable: 'never-sent' | 'unanswered' | 'no', message: string): void {
    this.#stopFeeding();
    this.#done({ kind: 'failed', reason, replayable, cause: new SwarmgateError(reason, message) });
  }

  #breakOff(): void {
    if (this.#over) return;
    const response = this.#response;
    this.#connection?.abandon();
    this.#done({ kind: 'truncated', status: this.#status, headMs: this.#headMs });
    this.#transform?.destroy();
    // Where only the end of the connection ends the body, a reset is the one sign that it broke off.
    if (response.socket !== null) cutOff(response.socket);
    response.destroy();
  }

  #done(result: AttemptResult): void {
    if (this.#over) return;
    this.#leave();
    this.#settle(result);
  }

  #leave(): void {
    this.#over = true;
    this.#pool.sweep.remove(this);
    this.#response.off('close', this.#onClientClose);
    this.#response.off('drain', this.#onClientDrained);
  }
}

function textOf(head: UpstreamHead, bytes: Buffer): HeadText {
  return new HeadText(bytes.toString('latin1', head.reasonStart, head.end), head.reasonStart, head.fields);
}

function trailerLines(rawTrailers: readonly string[]): string {
  let lines = '';
  for (let at = 0; at < rawTrailers.length; at += 2) lines += `${rawTrailers[at]}: ${rawTrailers[at + 1]}\r\n`;
  const flat = allowedTrailers(lines);
  lines = '';
  for (let at = 0; at < flat.length; at += 2) lines += `${flat[at]}: ${flat[at + 1]}\r\n`;
  return lines;
}

function pairsOf(flat: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < flat.length; at += 2) pairs.push([flat[at] as string, flat[at + 1] as string]);
  return pairs;
}

function describe(error: Error | undefined, otherwise: string): string {
  return error?.message ?? otherwise;
}
