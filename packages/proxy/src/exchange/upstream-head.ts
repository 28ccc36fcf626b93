import { isSafeTarget, linesOf, restoreFraming } from '../http/head-text.ts';
import type { HeaderList } from '../model/header-list.ts';
import type { RequestView } from '../model/request-view.ts';
import { forwardedElement } from './forwarded-element.ts';

const chunkedLine = 'Transfer-Encoding: chunked\r\n';

/**
 * What one connection adds to every head, as long as Host stays the same: made once, not per request. `port` is the one under
 * which clients reach the entrypoint.
 */
export class AddedLines {
  readonly #peerAddress: string;
  readonly #scheme: string;
  readonly #port: number;
  readonly #viaName: string | undefined;
  readonly #writesForwarded: boolean;
  #host = '';
  #beforeId = '';
  readonly #afterId: string;

  constructor(
    peerAddress: string,
    scheme: string,
    port: number,
    viaName: string | undefined,
    writesForwarded = false,
    viaVersion: '1.1' | '2.0' = '1.1',
  ) {
    this.#peerAddress = peerAddress;
    this.#scheme = scheme;
    this.#port = port;
    this.#viaName = viaName;
    this.#writesForwarded = writesForwarded;
    this.#afterId = this.#linesAfterId(viaVersion);
  }

  with(sentHost: string, requestId: string, isHttp10: boolean): string {
    if (this.#host !== sentHost || this.#beforeId === '') {
      this.#host = sentHost;
      this.#beforeId =
        `X-Forwarded-For: ${this.#peerAddress}\r\nX-Forwarded-Proto: ${this.#scheme}\r\n` +
        `X-Forwarded-Host: ${sentHost}\r\nX-Forwarded-Port: ${this.#port}\r\n${this.#forwardedLine(sentHost)}X-Request-Id: `;
    }
    return this.#beforeId + requestId + (isHttp10 ? this.#linesAfterId('1.0') : this.#afterId);
  }

  /** A head that came with Swarmgate-Hops is not plain. */
  #linesAfterId(viaVersion: '1.0' | '1.1' | '2.0'): string {
    const via = this.#viaName === undefined ? '' : `Via: ${viaVersion} ${this.#viaName}\r\n`;
    return `\r\nSwarmgate-Hops: 1\r\n${via}`;
  }

  #forwardedLine(sentHost: string): string {
    if (!this.#writesForwarded) return '';
    return `Forwarded: ${forwardedElement(this.#peerAddress, sentHost, this.#scheme)}\r\n`;
  }
}

/** The head of a plain request, from the lines that the client sent. Equal to what the header policy makes of it. */
export function plainUpstreamHead(view: RequestView, lines: string, target: string, added: string): string {
  return `${view.method} ${target} HTTP/1.1\r\n${lines}${added}${view.unsized ? chunkedLine : ''}\r\n`;
}

/** How a request's body is framed, and what it offers to change to: known from its head, and not for steps to change. */
export interface RequestFraming {
  readonly unsized: boolean;
  /** -1: none was sent. */
  readonly contentLength: number;
  /** Empty: no offer. */
  readonly upgrade: string;
  /** The client takes trailers, and the endpoint speaks HTTP/2, which is told so. */
  readonly wantsTrailers: boolean;
}

/** `undefined` where a step has made it unsendable. */
export function upstreamHead(
  method: string,
  target: string,
  headers: HeaderList,
  { unsized, contentLength, upgrade }: RequestFraming,
): string | undefined {
  restoreFraming(headers, contentLength);
  if (upgrade !== '') {
    headers.set('Connection', 'Upgrade');
    headers.set('Upgrade', upgrade);
  }
  const lines = linesOf(headers);
  if (lines === undefined || !isSafeTarget(target)) return undefined;
  return `${method} ${target} HTTP/1.1\r\n${lines}${unsized ? chunkedLine : ''}\r\n`;
}
