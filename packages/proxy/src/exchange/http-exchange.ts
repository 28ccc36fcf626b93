import { guardPromise, timerMs } from '@swarmgate/runtime';
import type { ParseError } from '../http/parse-error.ts';
import type { BodyFraming, ReceivedHead } from '../http/response-head.ts';
import type { Exchange, Protocol } from '../model/exchange.ts';
import type { LocalResponse } from '../model/local-response.ts';
import type { RequestView } from '../model/request-view.ts';
import type { EndpointChannel } from '../transport/endpoint-channel.ts';
import { RequestRecord, recordOf } from './access-record.ts';
import { boundedBody, passBody } from './bounded-body.ts';
import { type ClientHead, clientHeadOf, mayTunnel } from './client-head.ts';
import { clientResponseOf, mayTransform, trailersPass } from './client-response.ts';
import { type ClientFraming, type ClientSide, pieceOf, type ResponsePiece, type ResponseSink } from './client-side.ts';
import { decide, type ExchangeDecision, type ForwardOrder, headOf } from './decide.ts';
import type { ForwardFailure } from './forward-failure.ts';
import { Forwarding, type ForwardingSink } from './forwarding.ts';
import { GrpcCall, type GrpcCallOwner } from './grpc-call.ts';
import { grpcWebSide } from './grpc-web-side.ts';
import { HandledHttpExchange } from './handled-exchange.ts';
import type { HttpExchangeContext } from './http-exchange-context.ts';
import { localResponse } from './local-responses.ts';
import { ResponseTransform, type TransformConsumer } from './response-transform.ts';
import type { HandledParts, RouteHandler } from './route-handler.ts';
import { endExchange, replacementOf, throughSteps } from './run-middleware.ts';
import { Tunnel } from './tunnel.ts';
import { outgoingRequest, readText } from './upstream-request.ts';

/**
 * One request and its response, for every protocol: decides, forwards, applies the header policy both ways, responds
 * itself where it must, and writes the access record. The protocol gives it a view of the request and a client side.
 */
export class HttpExchange extends RequestRecord implements ForwardingSink, TransformConsumer, GrpcCallOwner {
  #client: ClientSide;
  #body: ClientSide['body'];
  readonly #context: HttpExchangeContext;
  readonly #startedMs = performance.now();
  /** Where the endpoint's response goes: to the client, or through a handler. */
  #sink: ResponseSink;
  #handler: HandledParts | undefined;
  #forwarding: Forwarding | undefined;
  #order: ForwardOrder | undefined;
  #transform: ResponseTransform | undefined;
  #tunnel: Tunnel | undefined;
  #call: GrpcCall | undefined;
  #status = 0;
  #cause: string | undefined;
  #mayTransform = false;
  #over = false;

  constructor(client: ClientSide, context: HttpExchangeContext, method: string, protocol: Protocol) {
    super(client.cache.info.peerAddress, method, protocol);
    this.#client = client;
    this.#sink = client.sink;
    this.#body = client.body;
    this.#context = context;
  }

  /** Idle timeout of the client, in milliseconds, if it is not that of all. */
  get clientMs(): number | undefined {
    return this.route?.destination.timeoutClientMs ?? (this.isCall ? this.#silenceMs : undefined);
  }

  /** A gRPC call: either side may send messages when it has some, and be silent in between. */
  get isCall(): boolean {
    return this.#call !== undefined;
  }

  get wantsPayload(): boolean {
    return this.#mayTransform || this.#sink.wantsPayload;
  }

  get copiesBytes(): ResponseSink['copiesBytes'] {
    return this.#mayTransform ? undefined : this.#sink.copiesBytes;
  }

  /** Bytes of the request's body may be given to `onClientBytes` now; else the client has to wait. */
  get takesBody(): boolean {
    if (this.#client.body.done) return false;
    return this.#forwarding === undefined ? this.#handler !== undefined : this.#forwarding.takesBody;
  }

  /** Never throws. `view` is read before it returns. */
  serve(view: RequestView): void {
    try {
      this.#call = GrpcCall.of(view, this.#context.pool.sweep, this);
      const decision = decide(view, this.#client.cache, this.#context, this);
      if (!(decision instanceof Promise)) this.#follow(decision);
      else decision.then(this.#follow.bind(this)).catch(this.onFault.bind(this));
    } catch (error) {
      this.onFault(error);
    }
  }

  /** A head or body that cannot be read: nothing that follows on this connection can be either. */
  refuse(error: ParseError): void {
    this.#cause = error.cause;
    this.#giveUp(localResponse(error.response));
  }

  /** More of the client's body has arrived, or the endpoint takes more of it. */
  onClientBytes(): void {
    const forwarding = this.#forwarding;
    if (forwarding === undefined) {
      this.#handler?.onClientBytes();
      return;
    }
    const refused = passBody(this.#body, forwarding);
    if (refused !== undefined) this.refuse(refused);
  }

  onWritable(): void {
    this.onClientBytes();
  }

  onClientDrained(): void {
    if (this.#handler !== undefined) this.#handler.onClientDrained();
    else this.#resumeResponse();
  }

  onClientGone(): void {
    if (this.#over) return;
    this.#forwarding?.cancel();
    this.#end(499, 'client-gone', 'cut');
  }

  /** The client was silent in the middle of its body, or does not read its response. */
  onClientStalled(): void {
    this.#giveUp(localResponse('request-timeout'));
  }

  onCallExpired(): void {
    this.#giveUp(localResponse('deadline-exceeded'));
  }

  /** A step, or the proxy's own code, has failed: that ends this exchange only. */
  onFault(error: unknown): void {
    const response = this.#handler?.responseTo?.(error);
    if (response === undefined)
      this.#context.logger.error({ err: error, service: this.route?.key, path: this.path }, 'an exchange failed');
    try {
      this.#giveUp(response ?? localResponse('internal-error'));
    } catch (again) {
      this.#context.logger.error({ err: again, path: this.path }, 'an exchange could not be ended in order');
      this.#end(500, 'internal-error', 'cut');
    }
  }

  onInterim(head: ReceivedHead): void {
    this.#sink.interim(clientHeadOf(head, this.#handler !== undefined, false));
  }

  onHead(head: ReceivedHead, bytes: Buffer, framing: BodyFraming, from: number, to: number, complete: boolean) {
    const { exchange, steps } = this.#order as ForwardOrder;
    const replaced = replacementOf(steps, exchange, head.status);
    if (replaced !== undefined) {
      this.#forwarding?.cancel();
      this.#respondLater(replaced);
      return false;
    }
    const clientHead = this.#headFor(head, framing);
    const closes = exchange?.closesConnection === true;
    if (this.#transform !== undefined) {
      this.#send(clientHead, 'unsized', closes, noBytes, 0, 0, false);
      this.#transformPiece(bytes, from, to, complete);
      return false;
    }
    const isUnsized =
      framing === 'until-close' || framing === 'unsized' || (framing === 'chunked' && this.wantsPayload);
    return this.#send(clientHead, isUnsized ? 'unsized' : framing, closes, bytes, from, to, complete);
  }

  onBody(bytes: Buffer, from: number, to: number, complete: boolean, before: string): boolean {
    if (this.#transform !== undefined) {
      this.#transformPiece(bytes, from, to, complete);
      return false;
    }
    const inUse = this.#sink.body(this.#pieceOf(bytes, from, to, complete, before));
    this.#sent(complete);
    return inUse;
  }

  onUpgrade(head: ReceivedHead, bytes: Buffer, from: number, to: number): void {
    const clientHead = this.#headFor(head, 'none');
    const forwarding = this.#forwarding as Forwarding;
    const chosen = head.header('upgrade') ?? '';
    const mayBegin = mayTunnel((this.#order as ForwardOrder).framing, chosen, this.#client.body.done);
    const tunnel = new Tunnel(this);
    const client = mayBegin ? this.#client.beginTunnel(clientHead, chosen, tunnel) : undefined;
    if (client === undefined) {
      if (mayBegin) throw new Error(`a step has made the head of the 101 to ${this.path} unsendable`);
      forwarding.cancel();
      this.onFailure('endpoint-answer-invalid', false);
      return;
    }
    this.#status = head.status;
    this.#tunnel = tunnel;
    const connection = forwarding.takeTunnel(tunnel) as EndpointChannel;
    tunnel.begin({ client, connection, sweep: this.#context.pool.sweep, idleMs: this.#silenceMs, bytes, from, to });
  }

  onTunnelOver(): void {
    this.#forwarding?.onTunnelOver();
    this.#end(this.#status, undefined, 'complete');
  }

  onFailure(failure: ForwardFailure, responded: boolean): void {
    this.#context.logger.warn(
      { service: this.route?.key, endpoint: this.#forwarding?.endpoint?.id, reason: failure },
      'an endpoint failed',
    );
    if (responded) this.#cut(this.#status, { ...localResponse(failure), reason: 'answer-truncated' });
    else this.#respondLater(throughSteps(this.#order?.steps, this.exchange, localResponse(failure)));
  }

  onTransformed(bytes: Buffer): void {
    if (this.#over) return;
    this.#sink.body(this.#pieceOf(bytes, 0, bytes.length, false, ''));
    if (this.#sink.clogged) this.#transform?.pause();
  }

  onTransformEnd(): void {
    if (this.#over) return;
    this.#sink.body(this.#pieceOf(noBytes, 0, 0, true, ''));
    if (this.#handler === undefined) this.#end(this.#status, undefined, 'complete');
  }

  onTransformWritable(): void {
    this.#forwarding?.resumeResponse();
  }

  #resumeResponse(): void {
    if (this.#transform !== undefined) this.#transform.resume();
    else this.#forwarding?.resumeResponse();
  }

  #follow(decision: ExchangeDecision): void {
    if (this.#over) return;
    if (this.grpcWeb !== undefined) {
      this.#client = grpcWebSide(this.#client, this.grpcWeb.form);
      this.#sink = this.#client.sink;
      this.#call = GrpcCall.ofWeb(this.grpcWeb, this.#context.pool.sweep, this);
    }
    if (decision.kind === 'respond') this.#respond(decision.response);
    else this.#forward(decision);
  }

  #forward(order: ForwardOrder): void {
    this.#order = order;
    this.route = order.route;
    this.#body = boundedBody(this.#client.body, order.exchange?.mostBodyBytes);
    const handler = order.exchange?.forwardsTo === undefined ? this.#context.handlerOf?.(order.route) : undefined;
    if (handler === undefined || order.exchange === undefined) this.#startForwarding(order, order.head, '');
    else this.#handle(handler, order, order.exchange);
  }

  #handle(handler: RouteHandler, order: ForwardOrder, exchange: Exchange): void {
    if (!this.#client.body.done) this.#client.body.pause();
    const handled = new HandledHttpExchange(exchange, {
      client: this.#client,
      body: this.#body,
      protocol: this.protocol,
      responded: (status) => {
        this.#status = status;
      },
      complete: () => {
        // A handler may end a response that the endpoint still sends.
        this.#forwarding?.cancel();
        this.#end(this.#status, undefined, 'complete');
      },
      resumeResponse: () => this.#resumeResponse(),
      forward: (through, consumed) => this.#forwardHandled(order, exchange, through, consumed),
      refuse: (error) => this.refuse(error),
      respond: (response) => this.#giveUp(response),
      onFault: (error) => this.onFault(error),
    });
    this.#handler = handler.handle(handled);
    this.#handler.start();
  }

  #forwardHandled(order: ForwardOrder, exchange: Exchange, through: ResponseSink, consumed: string): void {
    if (this.#over) return;
    const head = headOf(exchange, order.framing);
    if (head === undefined) throw new Error(`the head of the request to ${this.path} is unsendable`);
    this.#sink = through;
    this.#startForwarding(order, head, consumed);
  }

  #startForwarding(order: ForwardOrder, head: ForwardOrder['head'], consumed: string): void {
    const { steps, framing, exchange } = order;
    this.#mayTransform = mayTransform(steps);
    const body = this.#body;
    const firstBytes = readText(body, consumed);
    if (typeof firstBytes !== 'string') {
      this.refuse(firstBytes);
      return;
    }
    const silenceMs = this.isCall ? this.#silenceMs : undefined;
    const request = outgoingRequest({ method: this.method, head, framing, body, firstBytes, silenceMs });
    // An endpoint that is not connected yet takes no more of the body than the retry of this request needs.
    if (!body.done) body.pause();
    const route = exchange?.forwardsTo ?? order.route;
    this.#forwarding = new Forwarding(this.#context, route, request, exchange, this.#startedMs, this, this.trace);
    this.#forwarding.start();
  }

  #respondLater(made: LocalResponse | Promise<LocalResponse>): void {
    if (made instanceof Promise) guardPromise(this, made.then(this.#respond.bind(this)));
    else this.#respond(made);
  }

  #respond(response: LocalResponse): void {
    if (this.#over) return;
    const sent = this.#call?.responseOf(response) ?? response;
    this.#status = sent.status;
    this.#client.sink.respond(sent);
    this.#end(sent.status, sent.reason, 'complete');
  }

  /** Of a tunnel, and of a gRPC call. */
  get #silenceMs(): number {
    return timerMs(this.route?.destination.timeoutTunnelMs ?? this.#context.tunnelMs);
  }

  /** Ends a response that has begun: of a gRPC call by its status, else so that the client sees that more was to come. */
  #cut(status: number, response: LocalResponse): void {
    const trailers = this.#transform === undefined ? this.#call?.trailersOf(response) : undefined;
    if (trailers === undefined) this.#end(status, response.reason, 'cut');
    else {
      this.#client.sink.body(pieceOf(noBytes, 0, 0, true, '', trailers));
      this.#end(this.#status, response.reason, 'complete');
    }
  }

  /** Ends with a response of the proxy's own where none has begun, else cuts the one that has. */
  #giveUp(response: LocalResponse): void {
    if (this.#over) return;
    this.#forwarding?.cancel();
    if (this.#status === 0) this.#respond(response);
    else this.#cut(response.status, response);
    this.#tunnel?.abort();
  }

  #headFor(head: ReceivedHead, framing: BodyFraming): ClientHead {
    const order = this.#order as ForwardOrder;
    this.#call?.readHead(head);
    const response = clientResponseOf(order, this.#forwarding?.endpoint, head, {
      asList: this.#handler !== undefined,
      hasBody: framing !== 'none',
      trailersPass: trailersPass(head, framing, this),
    });
    if (response.stream !== undefined) this.#transform = new ResponseTransform(response.stream, this);
    return response.head;
  }

  #transformPiece(bytes: Buffer, from: number, to: number, complete: boolean): void {
    if (this.#transform?.give(bytes, from, to, complete) === false) this.#forwarding?.pauseResponse();
  }

  #send(
    head: ClientHead,
    framing: ClientFraming,
    closes: boolean,
    bytes: Buffer,
    from: number,
    to: number,
    complete: boolean,
  ): boolean {
    const inUse = this.#sink.head(head, framing, closes, this.#pieceOf(bytes, from, to, complete, ''));
    if (inUse === undefined) throw new Error(`a step has made the head of the response to ${this.path} unsendable`);
    if (this.#handler === undefined) this.#status = head.status;
    // A whole response in one piece ends when its head came: the clock need not be read twice.
    this.#sent(complete, this.#forwarding?.headAtMs);
    return inUse;
  }

  #sent(complete: boolean, nowMs?: number): void {
    if (complete && this.#handler === undefined) this.#end(this.#status, undefined, 'complete', nowMs);
    else if (!complete && this.#sink.clogged) this.#forwarding?.pauseResponse();
  }

  #pieceOf(bytes: Buffer, from: number, to: number, complete: boolean, before: string): ResponsePiece {
    return pieceOf(bytes, from, to, complete, before, complete ? (this.#forwarding?.trailers ?? '') : '');
  }

  #end(status: number, reason: string | undefined, end: 'complete' | 'cut', nowMs?: number): void {
    if (this.#over) return;
    this.#over = true;
    if (end === 'cut') this.#transform?.destroy();
    const endedMs = nowMs ?? performance.now();
    const grpcStatus = this.#call?.end(this.#forwarding?.trailers ?? '');
    const ended = { status, grpcStatus, reason, cause: this.#cause, startedMs: this.#startedMs, endedMs };
    if (this.exchange !== undefined)
      endExchange(this.exchange, { status, reason, durationMs: endedMs - this.#startedMs });
    this.#context.observe(recordOf(this, this.#client, this.#forwarding, this.#tunnel, ended));
    this.#handler?.onOver(end === 'complete');
    this.#client.onExchangeOver(end);
  }
}

const noBytes = Buffer.alloc(0);
