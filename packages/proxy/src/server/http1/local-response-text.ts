import { STATUS_CODES } from 'node:http';
import { localResponseHeaders } from '../../exchange/local-responses.ts';
import type { LocalResponse } from '../../middleware/middleware.ts';

let dateText = '';
let dateSecond = 0;

/** RFC 9110, section 6.6.1. Made once a second. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}

export type AfterAnswer = 'close' | 'keep-alive' | 'implied';

/** The Connection line that tells a client what happens after this answer (RFC 9112, section 9.3). */
export function connectionLine(after: AfterAnswer): string {
  return after === 'implied' ? '' : `Connection: ${after}\r\n`;
}

/** An answer that the proxy makes itself, as text in UTF-8. */
export function localResponseText(answer: LocalResponse, method: string, after: AfterAnswer): string {
  let text = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Unknown'}\r\n`;
  const headers = localResponseHeaders(answer);
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  text += `Date: ${httpDate()}\r\n${connectionLine(after)}\r\n`;
  return method === 'HEAD' ? text : text + (answer.body ?? '');
}
