import { HeadText, hopByHop, needsPolicy } from '../../http/head-text.ts';
import type { RequestHead } from '../../http/request-head.ts';
import type { RequestFault, RequestView } from '../../model/request-view.ts';
import { normalizeHost } from '../../routing/normal-host.ts';

/** A parsed head as the exchange reads it. Made for each request; valid until the parser reads the next head. */
export class Http1Request extends HeadText implements RequestView {
  readonly method: string;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1';
  readonly path: string;
  readonly query: string;
  readonly sentPath: string;
  readonly plainPath: boolean;
  readonly asterisk: boolean;
  readonly sentHost: string;
  readonly hostIsField: boolean;
  readonly fault: RequestFault | undefined;
  readonly contentLength: number;
  readonly unsized: boolean;
  readonly upgrade: string;
  readonly #namesFields: boolean;

  constructor(head: RequestHead, bytes: Buffer) {
    super(bytes.toString('latin1', head.start, head.end), head.start, head.fields);
    this.method = head.method(bytes);
    this.protocol = head.minorVersion === 1 ? 'HTTP/1.1' : 'HTTP/1.0';
    this.contentLength = head.contentLength;
    this.unsized = head.chunked;
    this.#namesFields = head.connection.named.length > 0;
    const field = head.host === -1 ? '' : this.value(head.host);
    if (head.form === 'origin') {
      this.path = this.slice(head.targetStart, head.pathEnd);
      this.query = this.slice(head.pathEnd, head.targetEnd);
      this.sentPath = this.path;
      this.plainPath = head.plainPath;
      this.asterisk = false;
      this.sentHost = field;
      this.hostIsField = head.host !== -1;
      this.fault = this.method === 'CONNECT' ? 'method-not-forwarded' : undefined;
    } else {
      const sent = this.slice(head.targetStart, head.targetEnd);
      const target = splitTarget(sent, this.method);
      this.path = target.path;
      this.query = target.query;
      this.sentPath = sent.slice(0, sent.length - target.query.length);
      this.plainPath = false;
      this.asterisk = target.asterisk;
      this.sentHost = target.authority ?? field;
      this.hostIsField = head.host !== -1 && this.sentHost === field;
      // The authority wins over Host, and a Host that could be none is refused all the same (RFC 9112, section 3.2.2).
      const isBadField = target.authority !== undefined && field !== '' && !normalizeHost(field).ok;
      this.fault = isBadField ? 'bad-host' : target.fault;
    }
    // HTTP/1.0 has no upgrades (RFC 9110, section 7.8).
    const offers = head.upgrade && head.connection.upgrade && head.minorVersion === 1;
    this.upgrade = offers ? offeredProtocols(this.joined('upgrade') ?? '') : '';
  }

  joined(name: string): string | undefined {
    let values: string | undefined;
    for (let index = 0; index < this.fields.count; index++) {
      if (this.fields.nameEnd(index) - this.fields.lineStart(index) !== name.length) continue;
      if (this.name(index).toLowerCase() !== name) continue;
      values = values === undefined ? this.value(index) : `${values}, ${this.value(index)}`;
    }
    return values;
  }

  plainFields(): string | undefined {
    if (this.#namesFields || !this.hostIsField || this.hasAny(needsPolicy)) return undefined;
    // Ignored in HTTP/1.0 (RFC 9110, section 10.1.1): an endpoint of HTTP/1.1 must not take it for an expectation.
    if (this.protocol === 'HTTP/1.0' && this.header('expect') !== undefined) return undefined;
    return this.linesWithout(hopByHop);
  }

  plainFlat(): string[] {
    return this.flatWithout(hopByHop);
  }
}

interface SplitTarget {
  readonly authority: string | undefined;
  readonly path: string;
  readonly query: string;
  readonly asterisk: boolean;
  readonly fault: RequestFault | undefined;
}

/** Absolute-form, asterisk-form and authority-form (RFC 9112, section 3.2). */
function splitTarget(target: string, method: string): SplitTarget {
  const none = { authority: undefined, query: '', asterisk: false };
  if (method === 'CONNECT') return { ...none, path: target, fault: 'method-not-forwarded' };
  if (target === '*') {
    const isOptions = method === 'OPTIONS';
    return { ...none, path: isOptions ? '/' : '*', asterisk: isOptions, fault: isOptions ? undefined : 'bad-path' };
  }
  const absolute = /^https?:\/\/([^/?#]*)([^?]*)(.*)$/i.exec(target);
  if (absolute === null) return { ...none, path: target.split('?', 1)[0] ?? '', fault: 'bad-path' };
  const [, authority = '', path = '', query = ''] = absolute;
  return { authority, path: path === '' ? '/' : path, query, asterisk: false, fault: undefined };
}

/** Every protocol that is offered but HTTP/2, which has prior knowledge and ALPN (RFC 9113, section 3.1). */
function offeredProtocols(value: string): string {
  return value
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '' && !/^(h2c|h2|http\/2(\.0)?)$/i.test(each))
    .join(', ');
}
