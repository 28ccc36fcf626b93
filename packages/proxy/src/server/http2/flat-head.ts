import type { ClientHead } from '../../exchange/client-head.ts';
import { flatOfSent, lowered } from '../../http/http2/field-lines.ts';

/**
 * The fields of a response for HTTP/2. Those of a connection are left out, `Upgrade` of a 426 too, as nothing is upgraded
 * here (RFC 9113, section 8.6); the challenge of a 407 is none of them.
 */
export function flatOfHead({ status, sent, headers }: ClientHead): readonly string[] {
  if (sent !== undefined) return flatOfSent(sent);
  const flat = lowered(headers?.flat ?? []);
  if (status === 407)
    for (const value of headers?.all('proxy-authenticate') ?? []) flat.push('proxy-authenticate', value.trim());
  return flat;
}
