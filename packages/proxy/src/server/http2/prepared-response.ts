import { isSharedResponse, localResponseHeaders } from '../../exchange/local-responses.ts';
import { bytesOf, lowered } from '../../http/http2/field-lines.ts';
import type { LocalResponse } from '../../model/local-response.ts';
import { httpDate } from '../http1/local-response-text.ts';

/** A response of the proxy itself as it is sent over HTTP/2. */
export interface PreparedResponse {
  /** Flat name, value, name, value with lower-case names: the same array as long as nothing in it changes. */
  readonly flat: readonly string[];
  /** What `flat` counts for. */
  readonly headBytes: number;
  readonly body: Buffer;
}

/** Those that all requests share, by their reason. They are made once a second, when their date changes. */
const shared = new Map<string, PreparedResponse & { readonly date: string }>();

/** A flood of requests that no route takes costs no memory for each: the same head is one array, and one block of bytes. */
export function preparedResponse(response: LocalResponse): PreparedResponse {
  const isShared = isSharedResponse(response);
  const date = httpDate();
  const known = isShared ? shared.get(response.reason) : undefined;
  if (known !== undefined && known.date === date) return known;
  const flat = [...lowered(localResponseHeaders(response)), 'date', date];
  const made = {
    flat,
    headBytes: bytesOf(flat),
    body: known?.body ?? response.bytes ?? Buffer.from(response.body ?? ''),
    date,
  };
  if (isShared) shared.set(response.reason, made);
  return made;
}
