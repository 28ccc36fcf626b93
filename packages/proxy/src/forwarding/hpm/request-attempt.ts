import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { AttemptError, reasonOf } from '../attempt-error.ts';
import { bodyKindOf } from '../body-kind.ts';
import { BodyPace } from '../body-pace.ts';
import { Deadline } from '../deadline.ts';
import type { Attempt, AttemptResult } from '../forwarder.ts';
import { headersForClient } from '../header-policy.ts';
import { reset } from '../reset.ts';
import { RequestBody } from './request-body.ts';
import { pairs, setUpstreamHeaders } from './upstream-headers.ts';

type Phase = 'connecting' | 'waiting' | 'answering' | 'done';

/** One request on its way to one endpoint: what http-proxy-middleware's events mean for it, in one place. */
export class RequestAttempt {
  readonly attempt: Attempt;
  readonly body: RequestBody;
  readonly result: Promise<AttemptResult>;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #deadline = new Deadline();
  readonly #startedMs = performance.now();
  readonly #onContinue: () => void;
  #phase: Phase = 'connecting';
  #upstream: ClientRequest | undefined;
  #settle!: (result: AttemptResult) => void;
  #status = 0;
  #headMs = 0;

  constructor(request: IncomingMessage, response: ServerResponse, attempt: Attempt) {
    this.#request = request;
    this.#response = response;
    this.attempt = attempt;
    this.result = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { serverMs, clientMs, bodyBytesPerSecond = 0 } = attempt.timeouts;
    const pace = new BodyPace(bodyBytesPerSecond);
    const headLate = () => this.#fail(new AttemptError('head-timeout', `no response head within ${serverMs} ms`));
    // Whoever is waited for must not be silent for too long: the client for its body, the endpoint for everything else.
    const awaitClient = () => {
      pace.begin(clientMs);
      if (this.#phase === 'waiting') this.#deadline.set(clientMs, () => this.#stall());
    };
    const awaitEndpoint = () => {
      if (this.#phase === 'waiting') this.#deadline.set(serverMs, headLate);
    };
    this.body = new RequestBody(request, {
      onConnected: () => {
        this.#phase = 'waiting';
        if (attempt.headers.has('expect')) awaitEndpoint();
        else awaitClient();
      },
      onBytes: (count) => {
        if (!pace.take(count)) return;
        awaitClient();
        if (this.#phase === 'answering') this.#deadline.extend();
      },
      onBlocked: awaitEndpoint,
      onUnblocked: awaitClient,
      onEnd: awaitEndpoint,
    });
    this.#onContinue = () => {
      response.writeContinue();
      awaitClient();
    };
    response.once('close', this.#onClientClose);
    this.#deadline.set(attempt.timeouts.connectMs, () =>
      this.#fail(new AttemptError('connect-timeout', `no connection within ${attempt.timeouts.connectMs} ms`)),
    );
  }

  /** The request has a socket, perhaps still connecting; nothing has been sent. */
  onUpstreamRequest(upstream: ClientRequest): void {
    if (this.#phase === 'done') {
      upstream.destroy();
      return;
    }
    this.#upstream = upstream;
    const { headers, target } = this.attempt;
    const chunked = bodyKindOf(this.#request.rawHeaders) === 'chunked';
    setUpstreamHeaders(upstream, headers, chunked ? ['Transfer-Encoding', 'chunked'] : []);
    if (target === '*') upstream.path = '*';
    upstream.on('continue', this.#onContinue);
    upstream.on('information', (info) => {
      if (info.statusCode !== 103 || this.#request.httpVersionMinor === 0 || this.#response.headersSent) return;
      const hints: Record<string, string | string[]> = {};
      for (const [name, value] of Object.entries(info.headers)) if (value !== undefined) hints[name] = value;
      if (hints.link !== undefined) this.#response.writeEarlyHints(hints);
    });
  }

  onResponse(upstreamResponse: IncomingMessage): void {
    if (this.#phase === 'done') {
      upstreamResponse.destroy();
      return;
    }
    const response = this.#response;
    const { timeouts } = this.attempt;
    this.#phase = 'answering';
    this.#status = upstreamResponse.statusCode ?? 502;
    this.#headMs = performance.now() - this.#startedMs;
    const headers = headersForClient(upstreamResponse.rawHeaders);
    this.attempt.onHead(this.#status, headers);
    const transform = this.attempt.transformFor?.(this.#status, headers);
    response.writeHead(this.#status, upstreamResponse.statusMessage ?? '', headers.flat);
    // SSE and slow first bytes: the head goes at once, not with the first piece of the body.
    response.flushHeaders();
    const serverSilent = () => this.#breakOff();
    this.#deadline.set(timeouts.serverMs, serverSilent);
    upstreamResponse.on('error', () => this.#breakOff());
    upstreamResponse.once('aborted', () => this.#breakOff());
    upstreamResponse.on('data', () => this.#deadline.extend());
    const source = transform === undefined ? upstreamResponse : upstreamResponse.pipe(transform);
    if (transform !== undefined) transform.on('error', () => this.#breakOff());
    source.on('data', (chunk: Buffer) => {
      if (response.write(chunk)) return;
      source.pause();
      this.#deadline.set(timeouts.clientMs, () => this.#stall());
    });
    response.on('drain', () => {
      if (this.#phase !== 'answering') return;
      this.#deadline.set(timeouts.serverMs, serverSilent);
      source.resume();
    });
    source.once('end', () => {
      if (this.#phase !== 'answering') return;
      this.#deadline.set(timeouts.clientMs, () => this.#stall());
      if (upstreamResponse.rawTrailers.length > 0) response.addTrailers(pairs(upstreamResponse.rawTrailers));
      // An early answer: the endpoint wants no more of the body. httpxy destroys its connection; the rest is read here
      // and dropped, so that the client's next request is found where it begins.
      this.body.detach();
      response.end(() => this.#done({ kind: 'answered', status: this.#status, headMs: this.#headMs }));
    });
  }

  /** Whatever http-proxy-middleware reports. */
  onError(error: Error): void {
    if (this.#phase === 'answering') this.#breakOff();
    else this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#phase === 'done') return;
    const reason = reasonOf(error);
    const neverSent = this.#phase === 'connecting';
    this.body.detach();
    this.#done({
      kind: 'failed',
      reason,
      replayable: neverSent ? 'never-sent' : reason === 'endpoint-unreachable' ? 'unanswered' : 'no',
      cause: error,
    });
    this.#upstream?.destroy(error);
  }

  #breakOff(): void {
    if (this.#phase !== 'answering') return;
    this.#done({ kind: 'truncated', status: this.#status, headMs: this.#headMs });
    this.#upstream?.destroy();
    cutOff(this.#response);
  }

  #stall(): void {
    if (this.#phase === 'done') return;
    const headSent = this.#response.headersSent;
    this.body.detach();
    this.#done({ kind: 'client-stalled', headSent });
    this.#upstream?.destroy();
    if (headSent) this.#response.destroy();
  }

  // An arrow, so that the next attempt does not leave a listener of this one behind.
  readonly #onClientClose = () => {
    if (this.#phase === 'done') return;
    this.#done({ kind: 'client-gone' });
    this.#upstream?.destroy();
  };

  #done(result: AttemptResult): void {
    if (this.#phase === 'done') return;
    this.#phase = 'done';
    this.#deadline.clear();
    this.#response.off('close', this.#onClientClose);
    this.#settle(result);
  }
}

/**
 * Ends an answer that broke off so that it cannot look complete. A length or a missing last chunk says so by itself; where
 * only the end of the connection ends the body, a reset is the one sign there is.
 */
function cutOff(response: ServerResponse): void {
  const selfDelimiting = response.hasHeader('content-length') || response.chunkedEncoding;
  if (selfDelimiting || response.socket === null) response.destroy();
  else reset(response.socket);
}
