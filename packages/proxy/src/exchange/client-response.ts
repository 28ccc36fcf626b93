import type { Transform } from 'node:stream';
import type { BodyFraming, ReceivedHead } from '../http/response-head.ts';
import { isSessionField } from '../http/session-cookie.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Protocol } from '../model/exchange.ts';
import { type ClientHead, clientHeadOf, restoreClientFraming } from './client-head.ts';
import type { ForwardOrder } from './decide.ts';

export interface ClientResponse {
  readonly head: ClientHead;
  /** The body passes through it. */
  readonly stream: Transform | undefined;
}

interface ResponseOptions {
  /** The head is needed as a list of fields. */
  readonly asList: boolean;
  readonly hasBody: boolean;
  /** Trailers of this response reach the client. */
  readonly trailersPass: boolean;
}

/** The response as the client gets it: header policy, then the route's steps, then framing put right. */
export function clientResponseOf(
  { steps, exchange }: Pick<ForwardOrder, 'steps' | 'exchange'>,
  endpoint: Endpoint | undefined,
  head: ReceivedHead,
  { asList, hasBody, trailersPass }: ResponseOptions,
): ClientResponse {
  const { status } = head;
  const isUpgrade = status === 101;
  if (exchange === undefined || endpoint === undefined || !(isUpgrade || changesResponses(steps)))
    return { head: clientHeadOf(head, isUpgrade || asList, trailersPass), stream: undefined };
  const clientHead = clientHeadOf(head, true, trailersPass);
  const headers = clientHead.headers as NonNullable<ClientHead['headers']>;
  for (const step of steps) step.onResponse?.(exchange, { status, headers, endpoint });
  // Labels, and services that steps call, may name it as little as the endpoint.
  headers.change((name, value) => (isSessionField(name, value) ? undefined : value));
  restoreClientFraming(headers, head);
  if (isUpgrade) return { head: clientHead, stream: undefined };
  for (const step of steps) {
    const stream = step.transform?.(exchange, { status, headers, endpoint }, hasBody);
    if (stream !== undefined) return { head: clientHead, stream };
  }
  return { head: clientHead, stream: undefined };
}

/** A step may pass the body of a response through a stream: it then needs the body without chunk framing. */
export function mayTransform(steps: ForwardOrder['steps']): boolean {
  for (let at = 0; at < steps.length; at++) if (steps[at]?.transform !== undefined) return true;
  return false;
}

function changesResponses(steps: ForwardOrder['steps']): boolean {
  for (let at = 0; at < steps.length; at++) {
    const step = steps[at];
    if (step?.onResponse !== undefined || step?.transform !== undefined) return true;
  }
  return false;
}

/** HTTP/1.0 has no trailers; HEAD is served with the fields that GET would get. */
export function trailersPass(
  { chunked }: ReceivedHead,
  framing: BodyFraming,
  { method, protocol }: { readonly method: string; readonly protocol: Protocol },
): boolean {
  if (protocol === 'HTTP/1.0') return false;
  return framing === 'unsized' || (chunked && (framing === 'chunked' || method === 'HEAD'));
}
