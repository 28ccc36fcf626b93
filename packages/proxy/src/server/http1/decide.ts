import { type ConnectionInfo, clientOf, type TrustedProxies } from '../../exchange/client-connection.ts';
import type { ExchangeContext } from '../../exchange/exchange-context.ts';
import { hasLooped } from '../../exchange/header-policy.ts';
import { localResponse } from '../../exchange/local-responses.ts';
import { runSteps } from '../../exchange/run-middleware.ts';
import { HeadText } from '../../http/head-text.ts';
import type { RequestHead } from '../../http/request-head.ts';
import type { Exchange, LocalResponse, Middleware } from '../../middleware/middleware.ts';
import type { Route } from '../../model/route.ts';
import { normalizeHost } from '../../routing/normal-host.ts';
import { normalizePath } from '../../routing/normal-path.ts';
import type { ForwardOrder } from './http1-exchange.ts';
import {
  type AddedLines,
  isPlainHead,
  plainUpstreamHead,
  type RequestFraming,
  upstreamHead,
  upstreamHeaders,
} from './upstream-text.ts';

export interface DecisionRoom {
  readonly context: ExchangeContext;
  readonly trusted: TrustedProxies;
  readonly viaName: string;
  readonly newRequestId: () => string;
  readonly writesForwarded: boolean;
  /** Of a request body. 0: no limit. */
  readonly mostBodyBytes: number;
}

/** What is known of a client's connection, and what was found out on its last request. */
export interface ConnectionMemory {
  readonly facts: ConnectionInfo;
  readonly added: AddedLines;
  sentHost: string;
  host: string;
}

export type Decision =
  /** The next lane is to serve this connection from here on. */
  | { readonly kind: 'hand-over' }
  | { readonly kind: 'answer'; readonly answer: LocalResponse }
  | { readonly kind: 'forward'; readonly order: ForwardOrder };

/** What the request was for, as far as it was understood: for the report. */
export interface Asked {
  host: string;
  path: string;
  route: Route | undefined;
  clientAddress: string;
}

const handOver: Decision = { kind: 'hand-over' };

function answering(answer: LocalResponse): Decision {
  return { kind: 'answer', answer };
}

/**
 * From a parsed head to what shall happen, by the same rules as the Express lane's `decide`: the table is asked once,
 * then the route's steps run. Only a step that has to wait makes it a promise.
 */
export function decide(
  head: RequestHead,
  bytes: Buffer,
  method: string,
  memory: ConnectionMemory,
  room: DecisionRoom,
  asked: Asked,
): Decision | Promise<Decision> {
  // Absolute-form, `OPTIONS *`, CONNECT, WebSocket upgrades, and HTTP/1.0 without Host are for the lane that takes everything.
  if (head.form !== 'origin' || head.host === -1 || method === 'CONNECT') return handOver;
  const text = new HeadText(bytes.toString('latin1', head.start, head.end), head.start, head.fields);
  if (head.upgrade && isWebSocketUpgrade(head, text, method)) return handOver;

  const sentHost = text.value(head.host);
  if (sentHost !== memory.sentHost || sentHost === '') {
    const normal = normalizeHost(sentHost);
    if (!normal.ok) return answering(localResponse('bad-host'));
    memory.sentHost = sentHost;
    memory.host = normal.host;
  }
  const { host, facts } = memory;
  asked.host = host;
  let path = text.slice(head.targetStart, head.pathEnd);
  if (!head.plainPath) {
    const normal = normalizePath(path);
    if (!normal.ok) return answering({ ...localResponse('bad-path'), reason: normal.reason });
    path = normal.path;
  }
  asked.path = path;

  const plain = isPlainHead(head, text, facts.peerTrusted);
  const flat = plain ? undefined : text.flat();
  if (flat !== undefined && hasLooped(flat, room.viaName)) return answering(localResponse('loop'));

  const header = (name: string) => text.header(name);
  const route = room.context.lookup({ method, host, path, port: facts.entryPort, header });
  if (route === undefined) return answering(localResponse('no-route'));
  asked.route = route;
  if (room.mostBodyBytes > 0 && head.contentLength > room.mostBodyBytes)
    return answering(localResponse('body-too-large'));
  if (route.blockedBy !== undefined || route.redirectToHost !== undefined) return handOver;
  const steps = room.context.middlewareOf(route);
  const query = text.slice(head.pathEnd, head.targetEnd);
  if (plain && steps.length === 0) {
    const added = memory.added.with(sentHost, room.newRequestId(), head.minorVersion);
    const upstream = plainUpstreamHead(head, text, path + query, added);
    return { kind: 'forward', order: { route, steps, exchange: undefined, head: upstream } };
  }
  for (const step of steps) if (step.needs === 'express') return handOver;

  const client = clientOf(facts, (name) => joinedHeader(text, name), room.trusted);
  asked.clientAddress = client.address;
  const request = upstreamHeaders(text, {
    client,
    peerAddress: facts.peerAddress,
    sentHost,
    httpVersion: head.minorVersion === 1 ? '1.1' : '1.0',
    viaName: room.viaName,
    newRequestId: room.newRequestId,
    writesForwarded: room.writesForwarded,
  });
  const exchange: Exchange = { route, method, path, query, host, request, client };
  // Taken now: by the time a slow step is done, the parser has read other heads.
  const framing = { chunked: head.chunked, contentLength: head.contentLength };
  const answer = runSteps(steps, exchange);
  if (answer instanceof Promise) return answer.then((late) => ordered(late, exchange, steps, framing));
  return ordered(answer, exchange, steps, framing);
}

/** Any other offer is ignored (RFC 9110, section 7.8), and so is one with a body. */
function isWebSocketUpgrade(head: RequestHead, text: HeadText, method: string): boolean {
  if (!head.connection.upgrade || head.hasBody || method !== 'GET') return false;
  return text.header('upgrade')?.toLowerCase() === 'websocket';
}

function ordered(
  answer: LocalResponse | undefined,
  exchange: Exchange,
  steps: readonly Middleware[],
  framing: RequestFraming,
): Decision {
  if (answer !== undefined) return answering(answer);
  const { route, method, path, query, request } = exchange;
  const head = upstreamHead(method, path + query, request, framing);
  if (head === undefined) return answering(localResponse('internal-error'));
  return { kind: 'forward', order: { route, steps, exchange, head } };
}

/** Several X-Forwarded-For lines are one list (RFC 9110, section 5.3). */
function joinedHeader(text: HeadText, name: string): string | undefined {
  const values: string[] = [];
  for (let index = 0; index < text.fields.count; index++)
    if (text.name(index).toLowerCase() === name) values.push(text.value(index));
  return values.length === 0 ? undefined : values.join(', ');
}
