import { isSafeTarget, isSendable, linesOf, restoreFraming, sentLines } from '../http/head-text.ts';
import { lowered } from '../http/http2/field-lines.ts';
import { type Http2RequestHead, http2HeadOf } from '../http/http2/http1-heads.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { HeaderList } from '../model/header-list.ts';
import type { RequestView } from '../model/request-view.ts';
import type { Route } from '../model/route.ts';
import type { SentField, SentFields } from '../model/sent-fields.ts';
import type { OutgoingHead } from '../transport/outgoing-request.ts';
import { forwardedElement } from './forwarded-element.ts';
import { type RequestTrace, traceParentLineOf, traceParentOf } from './tracing/trace-context.ts';

const chunkedLine = 'Transfer-Encoding: chunked\r\n';

/**
 * What one connection adds to every head, as long as Host stays the same: made once, not per request. `port` is the one under
 * which clients reach the entrypoint.
 */
export class AddedFields {
  readonly #peerAddress: string;
  readonly #scheme: string;
  readonly #port: number;
  readonly #viaName: string | undefined;
  readonly #writesForwarded: boolean;
  readonly #afterId: FieldsAfterId;
  #host: string | undefined;
  // Each made when it is first requested.
  #linesBeforeId: string | undefined;
  #isOnePiece = false;
  #spelledBeforeId: readonly string[] | undefined;
  #flatBeforeId: readonly string[] | undefined;

  constructor(
    peerAddress: string,
    scheme: string,
    port: number,
    viaName: string | undefined,
    writesForwarded = false,
    viaVersion: ViaVersion = '1.1',
  ) {
    this.#peerAddress = peerAddress;
    this.#scheme = scheme;
    this.#port = port;
    this.#viaName = viaName;
    this.#writesForwarded = writesForwarded;
    this.#afterId = fieldsAfterId(viaName, viaVersion);
  }

  /** As lines of HTTP/1.1. */
  lines(sentHost: string, requestId: string, isHttp10: boolean): string {
    this.#know(sentHost);
    if (this.#linesBeforeId === undefined) this.#linesBeforeId = this.#beforeIdAsLines(sentHost);
    else if (!this.#isOnePiece) {
      // Not for the first request: it is the only one of many a connection.
      this.#linesBeforeId = inOnePiece(this.#linesBeforeId);
      this.#isOnePiece = true;
    }
    return `${this.#linesBeforeId}X-Request-Id: ${requestId}\r\n${this.#after(isHttp10).lines}`;
  }

  /** Appends them as the header policy writes them. */
  appendSpelled(flat: string[], sentHost: string, requestId: string, isHttp10: boolean): void {
    this.#know(sentHost);
    this.#spelledBeforeId ??= this.#beforeId(sentHost);
    append(flat, this.#spelledBeforeId);
    flat.push('X-Request-Id', requestId);
    append(flat, this.#after(isHttp10).spelled);
  }

  /** Appends them as fields of HTTP/2: lower-case name, value. */
  appendTo(flat: string[], sentHost: string, requestId: string): void {
    this.#know(sentHost);
    this.#flatBeforeId ??= lowered(this.#beforeId(sentHost));
    append(flat, this.#flatBeforeId);
    flat.push('x-request-id', requestId);
    append(flat, this.#afterId.flat);
  }

  #know(sentHost: string): void {
    if (this.#host === sentHost) return;
    this.#host = sentHost;
    this.#linesBeforeId = undefined;
    this.#isOnePiece = false;
    this.#spelledBeforeId = undefined;
    this.#flatBeforeId = undefined;
  }

  #after(isHttp10: boolean): FieldsAfterId {
    return isHttp10 ? fieldsAfterId(this.#viaName, '1.0') : this.#afterId;
  }

  /** The same as `#beforeId`, without its list: for most connections it is all that is made. */
  #beforeIdAsLines(sentHost: string): string {
    const forwarded = this.#writesForwarded ? `Forwarded: ${this.#forwarded(sentHost)}\r\n` : '';
    const { upToHost, behindHost } = linesAroundHost(this.#scheme, this.#port);
    return `X-Forwarded-For: ${this.#peerAddress}${upToHost}${sentHost}${behindHost}${forwarded}`;
  }

  #forwarded(sentHost: string): string {
    return forwardedElement(this.#peerAddress, sentHost, this.#scheme);
  }

  #beforeId(sentHost: string): string[] {
    const flat = ['X-Forwarded-For', this.#peerAddress, 'X-Forwarded-Proto', this.#scheme];
    flat.push('X-Forwarded-Host', sentHost, 'X-Forwarded-Port', String(this.#port));
    if (this.#writesForwarded) flat.push('Forwarded', this.#forwarded(sentHost));
    return flat;
  }
}

interface LinesAroundHost {
  readonly upToHost: string;
  readonly behindHost: string;
}

/** By scheme and port: as many as there are entrypoints. */
const linesAroundHosts = new Map<string, Map<number, LinesAroundHost>>();

/**
 * What stands between the client's address and the host, and behind it: the same for all connections of a port. Each piece that
 * a string is put together of is an object, which an idle connection keeps.
 */
function linesAroundHost(scheme: string, port: number): LinesAroundHost {
  const known = linesAroundHosts.get(scheme)?.get(port);
  if (known !== undefined) return known;
  const upToHost = inOnePiece(`\r\nX-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Host: `);
  const made = { upToHost, behindHost: inOnePiece(`\r\nX-Forwarded-Port: ${port}\r\n`) };
  const ofScheme = linesAroundHosts.get(scheme) ?? new Map<number, LinesAroundHost>();
  linesAroundHosts.set(scheme, ofScheme.set(port, made));
  return made;
}

type ViaVersion = '1.0' | '1.1' | '2.0';

/** Fields behind the request id: the same for all connections. */
interface FieldsAfterId {
  /** As the header policy writes them. */
  readonly spelled: readonly string[];
  readonly lines: string;
  /** Of HTTP/2. */
  readonly flat: readonly string[];
}

const afterIdByVia = new Map<string, FieldsAfterId>();

/** A head that came with Swarmgate-Hops is not plain. @param viaName a process has one, so few of them are kept */
function fieldsAfterId(viaName: string | undefined, viaVersion: ViaVersion): FieldsAfterId {
  const key = viaName === undefined ? '' : `${viaVersion} ${viaName}`;
  let known = afterIdByVia.get(key);
  if (known === undefined) {
    const spelled = ['Swarmgate-Hops', '1', ...(viaName === undefined ? [] : ['Via', key])];
    known = { spelled, lines: inOnePiece(linesOfFlat(spelled)), flat: lowered(spelled) };
    afterIdByVia.set(key, known);
  }
  return known;
}

/** A string that was put together is one of many pieces, each copied again with every head that it is part of. */
function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function linesOfFlat(flat: readonly string[]): string {
  let lines = '';
  for (let at = 0; at < flat.length; at += 2) lines += `${flat[at]}: ${flat[at + 1]}\r\n`;
  return lines;
}

function append(flat: string[], more: readonly string[]): void {
  for (let at = 0; at < more.length; at++) flat.push(more[at] as string);
}

/** A plain request: what the client sent, and what is added to it. Equal to what the header policy makes of it. */
export interface PlainRequest {
  readonly view: RequestView;
  readonly sent: SentFields;
  readonly target: string;
  readonly added: AddedFields;
  readonly requestId: string;
  /** Its `traceparent` is sent. */
  readonly trace: RequestTrace | undefined;
}

/** The head of a plain request for an HTTP/1.1 endpoint. */
export function plainUpstreamHead({ view, sent, target, added, requestId, trace }: PlainRequest): string {
  const host = typeof sent === 'string' ? '' : `Host: ${view.sentHost}\r\n`;
  const ours = added.lines(view.sentHost, requestId, view.protocol === 'HTTP/1.0');
  const traced = trace === undefined ? ours : ours + traceParentLineOf(trace);
  return `${view.method} ${target} HTTP/1.1\r\n${host}${sentLines(sent)}${traced}${view.unsized ? chunkedLine : ''}\r\n`;
}

/** The headers of a plain request of HTTP/1, for the steps of its route. Equal to what the header policy makes of it. */
export function plainUpstreamHeaders({
  view,
  added,
  requestId,
}: Pick<PlainRequest, 'added' | 'requestId'> & { readonly view: RequestView }): HeaderList {
  const flat = view.plainFlat();
  added.appendSpelled(flat, view.sentHost, requestId, view.protocol === 'HTTP/1.0');
  return new HeaderList(flat, true);
}

/** The head of a plain request of HTTP/2 for an HTTP/2 endpoint, field by field. */
export function plainHttp2Head(
  { view, target, added, requestId, trace }: PlainRequest,
  sent: readonly SentField[],
  { secure, wantsTrailers }: Http2Hop,
): Http2RequestHead {
  const flat: string[] = [];
  for (let at = 0; at < sent.length; at++) {
    const { name, value } = sent[at] as SentField;
    flat.push(name.text, value);
  }
  added.appendTo(flat, view.sentHost, requestId);
  if (trace !== undefined) flat.push('traceparent', traceParentOf(trace));
  if (wantsTrailers) flat.push('te', 'trailers');
  const { method, sentHost: authority } = view;
  return { line: { method, scheme: secure ? 'https' : 'http', authority, path: target }, flat };
}

/** How a request's body is framed, and what it offers to change to: known from its head, and not for steps to change. */
export interface RequestFraming {
  readonly unsized: boolean;
  /** -1: none was sent. */
  readonly contentLength: number;
  /** Empty: no offer. */
  readonly upgrade: string;
  /** The client takes trailers, and the endpoint speaks HTTP/2, which gets them. */
  readonly wantsTrailers: boolean;
  /** `OutgoingRequest.hostFor`. */
  readonly hostFor?: (endpoint: Endpoint) => string;
}

/** An endpoint that speaks HTTP/2. */
interface Http2Hop {
  readonly secure: boolean;
  readonly wantsTrailers: boolean;
}

/** The head of a request that steps may have changed. `undefined` where one has made it unsendable. */
export function upstreamHead(
  method: string,
  target: string,
  headers: HeaderList,
  { unsized, contentLength, upgrade, wantsTrailers }: RequestFraming,
  { upstreamHttp2, upstreamSecure: secure }: Pick<Route, 'upstreamHttp2' | 'upstreamSecure'>,
): OutgoingHead | undefined {
  restoreFraming(headers, contentLength);
  if (upgrade !== '') {
    headers.set('Connection', 'Upgrade');
    headers.set('Upgrade', upgrade);
  }
  if (!isSafeTarget(target)) return undefined;
  if (upstreamHttp2 === true) {
    if (!isSendable(headers)) return undefined;
    return http2HeadOf({ method, scheme: secure ? 'https' : 'http', path: target }, headers.flat, wantsTrailers);
  }
  const lines = linesOf(headers);
  return lines === undefined ? undefined : `${method} ${target} HTTP/1.1\r\n${lines}${unsized ? chunkedLine : ''}\r\n`;
}
