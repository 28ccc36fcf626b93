import { allowedTrailerNames } from '../http/chunked-reader.ts';
import { Field } from '../http/field-section.ts';
import { hopByHop, linesOf, marked, restoreFraming, sentLines } from '../http/head-text.ts';
import type { ReceivedHead } from '../http/response-head.ts';
import { HeaderList } from '../model/header-list.ts';
import type { SentFields } from '../model/sent-fields.ts';
import { hasFieldOfStatus, headersForClient } from './header-policy.ts';

const needsPolicy = marked(Field.proxyConnection, Field.trailer, Field.setCookie);

/** The head of an endpoint's response on its way to the client. */
export interface ClientHead {
  readonly status: number;
  /** As the endpoint sent it, perhaps empty. */
  readonly reason: string;
  /** End-to-end fields as the endpoint sent them, where nothing in them needs the header policy. */
  readonly sent: SentFields | undefined;
  /** Set where `sent` is not. */
  readonly headers: HeaderList | undefined;
}

/**
 * Applies the header policy towards the client. Fields are passed on as they came where nothing in them needs the policy
 * and no step needs single fields: then `asList` is `false`.
 * @param trailersPass trailers of this response reach the client: only then may `Trailer` announce them
 */
export function clientHeadOf(head: ReceivedHead, asList: boolean, trailersPass: boolean): ClientHead {
  const { status, reason, hasStrayLength } = head;
  if (!head.namesFields && !hasStrayLength && !hasFieldOfStatus(status) && !head.hasAny(needsPolicy))
    return asList
      ? { status, reason, sent: undefined, headers: new HeaderList(head.flatWithout(hopByHop), true) }
      : { status, reason, sent: head.fieldsWithout(hopByHop), headers: undefined };
  const headers = headersForClient(head.flat(), status);
  if (hasStrayLength) headers.delete('content-length');
  announceTrailers(headers, trailersPass);
  return { status, reason, sent: undefined, headers };
}

/** Keeps of `Trailer` what comes (RFC 9110, section 6.6.2): a client may wait for what was announced. */
function announceTrailers(headers: HeaderList, trailersPass: boolean): void {
  if (!headers.has('trailer')) return;
  headers.change((name, value) => {
    if (name.toLowerCase() !== 'trailer') return value;
    const names = trailersPass ? allowedTrailerNames(value) : '';
    return names === '' ? undefined : names;
  });
}

/** Whether an `Upgrade` value offers a protocol; names compare without case (RFC 9110, section 7.8). */
export function offers(offered: string, chosen: string): boolean {
  const name = chosen.trim().toLowerCase();
  return offered.split(',').some((each) => each.trim().toLowerCase() === name);
}

/** Field lines of a head. `undefined` where a step has made it unsendable. */
export function fieldLinesOf({ sent, headers }: ClientHead): string | undefined {
  if (sent !== undefined) return sentLines(sent);
  return headers === undefined ? '' : linesOf(headers);
}

/** Puts back what frames the body, whatever the route's steps did to it. */
export function restoreClientFraming(headers: HeaderList, head: ReceivedHead): void {
  restoreFraming(headers, head.hasStrayLength ? -1 : head.contentLength);
}

/**
 * Whether a 101 may begin a tunnel. Without Upgrade it does not name what it switches to (RFC 9110, section 15.2.2). Later
 * chunks of a body could not be distinguished from the tunnel's bytes; of one with a length the rest passes as it stands.
 */
export function mayTunnel(
  { upgrade, unsized }: { readonly upgrade: string; readonly unsized: boolean },
  chosen: string,
  bodyDone: boolean,
): boolean {
  return chosen !== '' && offers(upgrade, chosen) && (bodyDone || !unsized);
}
