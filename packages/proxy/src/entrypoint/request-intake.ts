import type { IncomingMessage } from 'node:http';
import type { LocalResponseReason } from '../exchange/local-responses.ts';
import { defaultHeadLimits } from '../http/request-head.ts';
import { normalizeHost } from '../routing/normal-host.ts';
import { type PathRefusal, splitRequestTarget } from '../routing/normal-path.ts';

/** What a request asks for, in normal form. */
export interface RequestIntake {
  readonly host: string;
  /** The Host header (or the authority of an absolute-form target) as it was sent. */
  readonly sentHost: string;
  readonly path: string;
  readonly query: string;
  /** `OPTIONS *`: about the server as a whole (RFC 9112, section 3.2.4). Looked up as `/`, forwarded as `*`. */
  readonly asterisk: boolean;
}

export type Intake =
  | { readonly ok: true; readonly intake: RequestIntake }
  | { readonly ok: false; readonly reason: LocalResponseReason | PathRefusal };

/** As many fields as the raw lane takes. Beyond 2,000 node:http would hide some that its parser has acted on. */
const mostFields = defaultHeadLimits.fields;

const refused = (reason: LocalResponseReason | PathRefusal): Intake => ({ ok: false, reason });

/**
 * Judges what node:http has parsed by the rules it does not hold: any Transfer-Encoding but one `chunked`, or one in
 * HTTP/1.0 (RFC 9112, section 6.1); more than one Host (section 3.2); targets that are not in normal form; a head of too many fields.
 */
export function readIntake(request: IncomingMessage): Intake {
  if (request.httpVersionMajor !== 1) return refused('bad-request');
  if (request.rawHeaders.length > 2 * mostFields) return refused('head-too-large');
  const counted = countFraming(request.rawHeaders);
  if (counted.transferEncodings > 0) {
    const coding = request.headers['transfer-encoding'] ?? '';
    if (counted.transferEncodings > 1 || coding.toLowerCase() !== 'chunked') return refused('ambiguous-framing');
    if (counted.contentLengths > 0 || request.httpVersionMinor === 0) return refused('ambiguous-framing');
  }
  if (counted.contentLengths > 1) return refused('ambiguous-framing');
  if (counted.hosts > 1) return refused('bad-host');

  const split = splitTarget(request.url ?? '', request.method);
  if (split === undefined) return refused('bad-path');
  const sentHost = split.authority ?? request.headers.host ?? '';
  const host = sentHost === '' && request.httpVersionMinor === 0 ? '' : hostOf(sentHost);
  if (host === undefined) return refused('bad-host');
  if (split.authority !== undefined && counted.hosts === 1 && hostOf(request.headers.host ?? '') === undefined)
    return refused('bad-host');

  const target = splitRequestTarget(split.target);
  if (!target.ok) return refused(target.reason);
  return { ok: true, intake: { host, sentHost, path: target.path, query: target.query, asterisk: split.asterisk } };
}

interface SplitTarget {
  readonly authority: string | undefined;
  readonly target: string;
  readonly asterisk: boolean;
}

/** The target forms of RFC 9112, section 3.2, without authority-form, which is CONNECT's. */
function splitTarget(url: string, method: string | undefined): SplitTarget | undefined {
  if (url.startsWith('/')) return { authority: undefined, target: url, asterisk: false };
  if (url === '*') return method === 'OPTIONS' ? { authority: undefined, target: '/', asterisk: true } : undefined;
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  if (absolute === null) return undefined;
  const [, authority = '', rest = ''] = absolute;
  return { authority, target: rest.startsWith('/') ? rest : `/${rest}`, asterisk: false };
}

function hostOf(raw: string): string | undefined {
  const normal = normalizeHost(raw);
  return normal.ok ? normal.host : undefined;
}

function countFraming(rawHeaders: readonly string[]): {
  readonly hosts: number;
  readonly contentLengths: number;
  readonly transferEncodings: number;
} {
  let hosts = 0;
  let contentLengths = 0;
  let transferEncodings = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4) {
      if (name.toLowerCase() === 'host') hosts += 1;
    } else if (name.length === 14) {
      if (name.toLowerCase() === 'content-length') contentLengths += 1;
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') transferEncodings += 1;
  }
  return { hosts, contentLengths, transferEncodings };
}
