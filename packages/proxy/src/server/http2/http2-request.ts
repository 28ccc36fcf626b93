import { randomBytes } from 'node:crypto';
import { hopByHop, needsPolicy } from '../../http/head-text.ts';
import { fieldsWithout, fieldValue, flatFields, hasMarked, type RequestHead } from '../../http/http2/message-head.ts';
import type { RequestFault, RequestView } from '../../model/request-view.ts';
import type { SentField } from '../../model/sent-fields.ts';
import { isPlainPath } from '../../routing/normal-path.ts';

/** The head of one stream as the exchange reads it. `:authority` stands for Host (RFC 9113, section 8.3.1). */
export class Http2Request implements RequestView {
  readonly protocol = 'HTTP/2';
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly sentPath: string;
  readonly plainPath: boolean;
  readonly asterisk: boolean;
  readonly sentHost: string;
  readonly hostIsField = true;
  readonly fault: RequestFault | undefined;
  readonly contentLength: number;
  readonly unsized: boolean;
  readonly upgrade: string;
  readonly #head: RequestHead;

  /**
   * @param ended the request has no body
   * @param misdirected the connection's certificate does not stand for the authority
   */
  constructor(head: RequestHead, ended: boolean, misdirected = false) {
    this.#head = head;
    const isConnect = head.method === 'CONNECT';
    // Other protocols than WebSocket have no form in HTTP/1.1 that a service is known to take.
    const isWebSocket = isConnect && head.protocol.toLowerCase() === 'websocket';
    this.method = isWebSocket ? 'GET' : head.method;
    this.upgrade = isWebSocket ? 'websocket' : '';
    this.fault = misdirected ? 'misdirected-request' : isConnect && !isWebSocket ? 'method-not-forwarded' : undefined;
    this.asterisk = head.path === '*';
    const question = head.path.indexOf('?');
    this.path = this.asterisk ? '/' : question === -1 ? head.path : head.path.slice(0, question);
    this.plainPath = isPlainPath(this.path);
    this.query = question === -1 ? '' : head.path.slice(question);
    this.sentPath = this.asterisk ? '*' : isConnect && !isWebSocket ? head.authority : this.path;
    this.sentHost = head.authority;
    this.contentLength = isConnect ? -1 : head.contentLength;
    this.unsized = !ended && !isConnect && head.contentLength === -1;
  }

  header(name: string): string | undefined {
    return name === 'host' ? this.sentHost : fieldValue(this.#head.fields, name);
  }

  joined(name: string): string | undefined {
    if (name === 'host') return this.sentHost;
    const values = this.#head.fields.filter((field) => field.name.text === name).map((field) => field.value);
    return values.length === 0 ? undefined : values.join(', ');
  }

  flat(): string[] {
    const flat = ['Host', this.sentHost];
    for (const field of this.#head.fields) {
      // The length of a tunnel is known only when it ends.
      if (this.upgrade !== '' && field.name.text === 'content-length') continue;
      flat.push(field.name.text, field.value);
    }
    // WebSocket over HTTP/2 has no key (RFC 8441, section 5.1), and HTTP/1.1 needs one (RFC 6455, section 4.1).
    if (this.upgrade !== '' && this.header('sec-websocket-key') === undefined)
      flat.push('Sec-WebSocket-Key', randomBytes(16).toString('base64'));
    return flat;
  }

  plainFields(): readonly SentField[] | undefined {
    const { fields } = this.#head;
    return hasMarked(fields, needsPolicy) ? undefined : fieldsWithout(fields, hopByHop);
  }

  plainFlat(): string[] {
    return ['Host', this.sentHost, ...flatFields(fieldsWithout(this.#head.fields, hopByHop))];
  }
}
