import { localResponseHeaders } from '../../exchange/local-responses.ts';
import { reasonPhrases } from '../../http/reason-phrases.ts';
import type { LocalResponse } from '../../model/local-response.ts';

let dateText = '';
let dateSecond = 0;

/** RFC 9110, section 6.6.1. Made once a second. */
export function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}

export type AfterResponse = 'close' | 'keep-alive' | 'implied';

/** The Connection line that announces what happens after this response (RFC 9112, section 9.3). */
export function connectionLine(after: AfterResponse): string {
  return after === 'implied' ? '' : `Connection: ${after}\r\n`;
}

/** A response that the proxy makes itself, as text in UTF-8, without its `bytes`. */
export function localResponseText(response: LocalResponse, method: string, after: AfterResponse): string {
  let text = `HTTP/1.1 ${response.status} ${reasonPhrases[response.status] ?? 'Unknown'}\r\n`;
  const headers = localResponseHeaders(response);
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  text += `Date: ${httpDate()}\r\n${connectionLine(after)}\r\n`;
  return method === 'HEAD' ? text : text + (response.body ?? '');
}
