import { forwardedElement } from '../../exchange/forwarded-element.ts';
import { headersForUpstream, type RequestHop } from '../../exchange/header-policy.ts';
import { type HeadText, hopByHop, isSafeTarget, linesOf, needsPolicy, restoreFraming } from '../../http/head-text.ts';
import type { RequestHead } from '../../http/request-head.ts';
import type { HeaderList } from '../../model/header-list.ts';

const chunkedLine = 'Transfer-Encoding: chunked\r\n';

/** What one connection adds to every head, as long as Host stays the same: made once, not per request. */
export class AddedLines {
  readonly #peerAddress: string;
  readonly #scheme: string;
  readonly #entryPort: number;
  readonly #viaName: string;
  readonly #writesForwarded: boolean;
  #host = '';
  #beforeId = '';
  readonly #afterId: string;

  constructor(peerAddress: string, scheme: string, entryPort: number, viaName: string, writesForwarded = false) {
    this.#peerAddress = peerAddress;
    this.#scheme = scheme;
    this.#entryPort = entryPort;
    this.#viaName = viaName;
    this.#writesForwarded = writesForwarded;
    this.#afterId = `\r\nVia: 1.1 ${viaName}\r\n`;
  }

  with(sentHost: string, requestId: string, minorVersion: 0 | 1): string {
    if (this.#host !== sentHost || this.#beforeId === '') {
      this.#host = sentHost;
      this.#beforeId =
        `X-Forwarded-For: ${this.#peerAddress}\r\nX-Forwarded-Proto: ${this.#scheme}\r\n` +
        `X-Forwarded-Host: ${sentHost}\r\nX-Forwarded-Port: ${this.#entryPort}\r\n${this.#forwardedLine(sentHost)}X-Request-Id: `;
    }
    const after = minorVersion === 1 ? this.#afterId : `\r\nVia: 1.0 ${this.#viaName}\r\n`;
    return this.#beforeId + requestId + after;
  }

  #forwardedLine(sentHost: string): string {
    if (!this.#writesForwarded) return '';
    return `Forwarded: ${forwardedElement(this.#peerAddress, sentHost, this.#scheme)}\r\n`;
  }
}

/**
 * Whether a head can go upstream as the client wrote it, without the fields of its hop and with ours behind: nothing in
 * it that the header policy would weigh.
 */
export function isPlainHead(head: RequestHead, text: HeadText, peerTrusted: boolean): boolean {
  return !peerTrusted && head.connection.named.length === 0 && !text.hasAny(needsPolicy);
}

/** The head of a plain request. Equal to what the header policy makes of it. */
export function plainUpstreamHead(head: RequestHead, text: HeadText, target: string, added: string): string {
  return (
    `${text.slice(head.start, head.methodEnd)} ${target} HTTP/1.1\r\n` +
    `${text.linesWithout(hopByHop)}${added}${head.chunked ? chunkedLine : ''}\r\n`
  );
}

/** The headers of any request by the header policy, for the route's steps to change. */
export function upstreamHeaders(text: HeadText, hop: RequestHop): HeaderList {
  return headersForUpstream(text.flat(), hop);
}

/** How a request's body is framed: known from its head, and not for steps to change. */
export interface RequestFraming {
  readonly chunked: boolean;
  /** -1: none was sent. */
  readonly contentLength: number;
}

/** `undefined` where a step has made it unsendable. */
export function upstreamHead(
  method: string,
  target: string,
  headers: HeaderList,
  { chunked, contentLength }: RequestFraming,
): string | undefined {
  restoreFraming(headers, contentLength);
  const lines = linesOf(headers);
  if (lines === undefined || !isSafeTarget(target)) return undefined;
  return `${method} ${target} HTTP/1.1\r\n${lines}${chunked ? chunkedLine : ''}\r\n`;
}
