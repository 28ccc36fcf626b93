import { GrpcStatus, grpcMessage, grpcStatusIn, grpcTimeoutMs, isGrpcType } from '../http/grpc/grpc-fields.ts';
import { grpcWebTypeOf } from '../http/grpc/grpc-web.ts';
import type { ReceivedHead } from '../http/response-head.ts';
import type { GrpcWebCall } from '../model/exchange.ts';
import type { LocalResponse } from '../model/local-response.ts';
import type { RequestView } from '../model/request-view.ts';
import type { DeadlineSweep, Timed } from '../transport/deadline-sweep.ts';

export interface GrpcCallOwner {
  /** The client's `grpc-timeout` has passed. */
  onCallExpired(): void;
  onFault(error: unknown): void;
}

/** What is special about an exchange that is a gRPC call: its deadline, and how the proxy ends it by itself. */
export class GrpcCall implements Timed {
  deadlineMs = Number.POSITIVE_INFINITY;
  sweepPlace = -1;
  /** `grpc-status` that the client got, once it is known. */
  status: number | undefined;
  readonly #type: string;
  readonly #sweep: DeadlineSweep;
  readonly #owner: GrpcCallOwner;

  private constructor(type: string, timeout: string | undefined, sweep: DeadlineSweep, owner: GrpcCallOwner) {
    this.#type = type;
    this.#sweep = sweep;
    this.#owner = owner;
    const timeoutMs = grpcTimeoutMs(timeout);
    if (timeoutMs === undefined) return;
    this.deadlineMs = sweep.in(timeoutMs);
    sweep.add(this);
  }

  /** `undefined` for other requests. Over HTTP/1.1 there are no calls: it has no trailers that every client reads. */
  static of(view: RequestView, sweep: DeadlineSweep, owner: GrpcCallOwner): GrpcCall | undefined {
    if (view.protocol !== 'HTTP/2' || view.method !== 'POST' || !isGrpcType(view.header('content-type')))
      return undefined;
    return new GrpcCall('application/grpc', view.header('grpc-timeout'), sweep, owner);
  }

  static ofWeb({ form, timeout }: GrpcWebCall, sweep: DeadlineSweep, owner: GrpcCallOwner): GrpcCall {
    return new GrpcCall(grpcWebTypeOf('application/grpc', form), timeout, sweep, owner);
  }

  /** A response of the proxy itself as clients of gRPC read it: HTTP 200 whose head holds the status, and nothing else. */
  responseOf(response: LocalResponse): LocalResponse {
    this.status = statusOf(response);
    const headers = [
      'Content-Type',
      this.#type,
      'grpc-status',
      String(this.status),
      'grpc-message',
      messageOf(response),
    ];
    return { status: 200, reason: response.reason, headers };
  }

  /** The trailers of a response that has begun and that the proxy ends: lines, CRLF at the end of each. */
  trailersOf(response: LocalResponse): string {
    this.status = statusOf(response);
    return `grpc-status: ${this.status}\r\ngrpc-message: ${messageOf(response)}\r\n`;
  }

  /** The endpoint's response: one without messages has its status in the head. */
  readHead(head: ReceivedHead): void {
    const sent = head.header('grpc-status');
    if (sent !== undefined) this.status ??= grpcStatusIn(`grpc-status: ${sent}\r\n`);
  }

  /**
   * The exchange is over. Returns the status that the client got, if it got one.
   * @param trailers of the endpoint's response: lines, CRLF at the end of each
   */
  end(trailers: string): number | undefined {
    this.#sweep.remove(this);
    this.status ??= grpcStatusIn(trailers);
    return this.status;
  }

  onDeadline(): void {
    this.#owner.onCallExpired();
  }

  onFault(error: unknown): void {
    this.#owner.onFault(error);
  }
}

const statusByReason: Readonly<Record<string, number>> = {
  'no-route': GrpcStatus.unimplemented,
  'head-timeout': GrpcStatus.deadlineExceeded,
  'plugin-timeout': GrpcStatus.deadlineExceeded,
  'deadline-exceeded': GrpcStatus.deadlineExceeded,
  // The endpoint was reached, and did not send a response of HTTP.
  'endpoint-answer-invalid': GrpcStatus.internal,
};

/** As gRPC's own table has it (doc/http-grpc-status-mapping.md), but where the proxy has a more exact cause than the status. */
const statusByHttp: Readonly<Record<number, number>> = {
  400: GrpcStatus.internal,
  401: GrpcStatus.unauthenticated,
  403: GrpcStatus.permissionDenied,
  404: GrpcStatus.unimplemented,
  408: GrpcStatus.deadlineExceeded,
  413: GrpcStatus.resourceExhausted,
  421: GrpcStatus.unavailable,
  429: GrpcStatus.resourceExhausted,
  431: GrpcStatus.resourceExhausted,
  500: GrpcStatus.internal,
  501: GrpcStatus.unimplemented,
  502: GrpcStatus.unavailable,
  503: GrpcStatus.unavailable,
  504: GrpcStatus.unavailable,
};

function statusOf({ reason, status }: LocalResponse): number {
  return statusByReason[reason] ?? statusByHttp[status] ?? GrpcStatus.unknown;
}

const mostMessageCharacters = 200;

/** The response's own sentence, where it is one and no page. */
function messageOf({ reason, body = '' }: LocalResponse): string {
  const text = body.trimEnd();
  const isSentence = text !== '' && text.length <= mostMessageCharacters && !/[<\n]/.test(text);
  return grpcMessage(isSentence ? text : reason);
}
