import type { ClientHead } from '../../exchange/client-head.ts';
import { flatOfSent, lowered } from '../../http/http2/field-lines.ts';

/** The fields of a response for HTTP/2. */
export function flatOfHead({ sent, headers }: ClientHead): string[] {
  return sent === undefined ? lowered(headers?.flat ?? []) : flatOfSent(sent);
}
