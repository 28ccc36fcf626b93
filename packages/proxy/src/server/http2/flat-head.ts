import type { ClientHead } from '../../exchange/client-head.ts';
import { flatOfLines, lowered } from '../../http/http2/field-lines.ts';

/** The fields of a response for HTTP/2. */
export function flatOfHead({ lines, headers }: ClientHead): string[] {
  return lines === undefined ? lowered(headers?.flat ?? []) : flatOfLines(lines);
}
