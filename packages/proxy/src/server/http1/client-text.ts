import { STATUS_CODES } from 'node:http';
import { headersForClient } from '../../exchange/header-policy.ts';
import { Field } from '../../http/field-section.ts';
import { HeadText, hopByHop, linesOf, marked, restoreFraming } from '../../http/head-text.ts';
import type { UpstreamHead } from '../../http/response-head.ts';
import type { HeaderList } from '../../model/header-list.ts';

const needsPolicy = marked(Field.proxyConnection);

/** Lets the route's steps see and change the headers. */
export type OnHeaders = (status: number, headers: HeaderList) => void;

/**
 * The head of an endpoint's answer as the client gets it: status line and end-to-end fields as sent, then `added`.
 * `undefined` where a step has made it unsendable.
 */
export function clientHead(
  head: UpstreamHead,
  bytes: Buffer,
  added: string,
  onHeaders: OnHeaders | undefined,
): string | undefined {
  const { fields } = head;
  const base = head.reasonStart;
  const text = new HeadText(bytes.toString('latin1', base, head.end), base, fields);
  const reason = text.slice(base, head.reasonEnd);
  const line = `HTTP/1.1 ${head.status} ${reason === '' ? (STATUS_CODES[head.status] ?? '') : reason}\r\n`;
  const hasStrayLength = head.hasStrayLength;
  if (onHeaders === undefined && head.connection.named.length === 0 && !hasStrayLength && !text.hasAny(needsPolicy))
    return `${line}${text.linesWithout(hopByHop)}${added}\r\n`;
  const headers = headersForClient(text.flat());
  if (onHeaders !== undefined) {
    onHeaders(head.status, headers);
    restoreFraming(headers, head.contentLength);
  }
  if (hasStrayLength) headers.delete('content-length');
  const lines = linesOf(headers);
  return lines === undefined ? undefined : `${line}${lines}${added}\r\n`;
}
