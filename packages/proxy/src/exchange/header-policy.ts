import { hopByHopFields } from '../http/hop-by-hop.ts';
import { setsSession, withoutSession } from '../http/session-cookie.ts';
import type { ClientConnection, Protocol } from '../model/exchange.ts';
import { foldedName, HeaderList } from '../model/header-list.ts';
import { forwardedElement } from './forwarded-element.ts';
import { isRequestId } from './request-id.ts';

/** One hop of a request: what the forwarding headers are made of. */
export interface RequestHop {
  readonly client: ClientConnection;
  /** The peer of the connection: the client, or the proxy in front of this one. */
  readonly peerAddress: string;
  /** The Host header as the client sent it; empty for HTTP/1.0 without one. */
  readonly sentHost: string;
  /** The client's protocol version, for `Via`. */
  readonly protocol: Protocol;
  /** `VIA_HEADER`: this proxy's name in `Via`, see `makeViaName`. `undefined`: Via passes as the client sent it. */
  readonly viaName: string | undefined;
  /** Passes through proxies of this kind before this one: see `hopsOf`. */
  readonly hops: number;
  /** Used if the client sent no valid X-Request-Id. */
  readonly newRequestId: () => string;
  /** `FORWARDED_HEADER`: also sends the contents of the X-Forwarded-* headers in `Forwarded`. Default no. */
  readonly writesForwarded?: boolean;
}

/** RFC 9110, section 7.6.3. */
const viaVersions: Readonly<Record<Protocol, string>> = { 'HTTP/1.0': '1.0', 'HTTP/1.1': '1.1', 'HTTP/2': '2.0' };

// Naming these in Connection must not remove them: they frame or address the message, or the proxy itself
// sets them.
const neverNamed = new Set(['host', 'content-length', 'trailer', 'via', 'expect']);

const written = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-request-id',
  'swarmgate-hops',
]);

/** Beside X-Forwarded-*, names of which only this spelling passes: many services read `X_Real_IP` as the same header. */
const oneSpelling = new Set([
  ...hopByHopFields,
  ...neverNamed,
  ...written,
  'forwarded',
  'x-real-ip',
  'authorization',
  'cookie',
]);

function isOtherSpelling(lower: string): boolean {
  if (!/[^a-z0-9-]/.test(lower)) return false;
  const folded = foldedName(lower);
  return folded.startsWith('x-forwarded-') || oneSpelling.has(folded);
}

/**
 * The headers that go upstream, before the route's middleware, which may change them. Hop-by-hop headers and
 * those that Connection names are gone; framing (Transfer-Encoding) is left to the server protocol.
 *
 * X-Forwarded-For grows by the peer; -Proto, -Host and -Port are kept from a trusted hop and set otherwise;
 * X-Request-Id is kept where it is well formed; `Forwarded` of an untrusted client is dropped, because it cannot be
 * verified. With `writesForwarded` it grows by the peer, too.
 */
export function headersForUpstream(sent: readonly string[], hop: RequestHop): HeaderList {
  const named = namedByConnection(sent);
  const trusted = hop.client.trustedHop;
  const kept: string[] = [];
  let forwardedFor = '';
  let via = '';
  let forwarded = '';
  let proto: string | undefined;
  let host: string | undefined;
  let port: string | undefined;
  let requestId: string | undefined;
  for (let at = 0; at < sent.length; at += 2) {
    const name = sent[at] as string;
    const value = sent[at + 1] as string;
    const lower = name.toLowerCase();
    if (lower === 'expect' && hop.protocol === 'HTTP/1.0') continue;
    if (hopByHopFields.has(lower) || named?.has(lower)) continue;
    if (isOtherSpelling(lower)) continue;
    if (written.has(lower)) {
      if (lower === 'x-forwarded-for') forwardedFor = joined(forwardedFor, value);
      else if (lower === 'x-request-id') {
        if (isRequestId(value)) requestId ??= value;
      } else if (trusted && value !== '') {
        if (lower === 'x-forwarded-proto') proto ??= value;
        else if (lower === 'x-forwarded-host') host ??= value;
        else if (lower === 'x-forwarded-port') port ??= value;
      }
      continue;
    }
    if (lower === 'via' && hop.viaName !== undefined) {
      via = joined(via, value);
      continue;
    }
    // Services take it for the client's address, and a client could name any.
    if (lower === 'x-real-ip' && !trusted) continue;
    if (lower === 'forwarded') {
      if (!trusted) continue;
      if (hop.writesForwarded === true) {
        forwarded = joined(forwarded, value);
        continue;
      }
    }
    const passed = lower === 'cookie' ? withoutSession(value) : value;
    if (passed !== '' || value === '') kept.push(name, passed);
  }
  kept.push('X-Forwarded-For', joined(forwardedFor, hop.peerAddress));
  kept.push('X-Forwarded-Proto', proto ?? hop.client.scheme);
  kept.push('X-Forwarded-Host', host ?? hop.sentHost);
  kept.push('X-Forwarded-Port', port ?? String(hop.client.publishedPort ?? hop.client.entryPort));
  if (hop.writesForwarded === true) {
    const scheme = hop.client.secure ? 'https' : 'http';
    kept.push('Forwarded', joined(forwarded, forwardedElement(hop.peerAddress, hop.sentHost, scheme)));
  }
  kept.push('X-Request-Id', requestId ?? hop.newRequestId());
  kept.push('Swarmgate-Hops', String(hop.hops + 1));
  if (hop.viaName !== undefined) kept.push('Via', joined(via, `${viaVersions[hop.protocol]} ${hop.viaName}`));
  return new HeaderList(kept, true);
}

/**
 * Fields of one connection without which a response of such a status is useless: the protocols to upgrade to, which the
 * proxy carries to the endpoint (RFC 9110, section 15.5.22), and the challenge of a proxy (section 15.5.8).
 */
const partOfStatus: ReadonlyMap<number, string> = new Map([
  [426, 'upgrade'],
  [407, 'proxy-authenticate'],
]);

/** Needs the header policy whatever its fields are. */
export function hasFieldOfStatus(status: number): boolean {
  return partOfStatus.has(status);
}

/** The headers that go back to the client: the endpoint's own without those of its connection with the proxy. */
export function headersForClient(received: readonly string[], status = 200): HeaderList {
  const part = partOfStatus.get(status);
  const named = namedByConnection(received);
  const kept: string[] = [];
  for (let at = 0; at < received.length; at += 2) {
    const name = received[at] as string;
    const lower = name.toLowerCase();
    if (lower !== part && (hopByHopFields.has(lower) || named?.has(lower))) continue;
    const value = received[at + 1] as string;
    if (lower === 'set-cookie' && setsSession(value)) continue;
    kept.push(name, value);
    // Its sender has to name it (RFC 9110, section 7.8).
    if (lower === 'upgrade') kept.push('Connection', 'Upgrade');
  }
  return new HeaderList(kept, true);
}

/** `swarmgate-` and eight random hex digits: the name of a running proxy in `Via`. */
export function makeViaName(random: () => number = Math.random): string {
  return `swarmgate-${Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')}`;
}

/** Passes through proxies of this kind that a request may make: one more gets 508. */
export const mostHops = 16;

/**
 * The number in `Swarmgate-Hops`: how many passes through proxies of this kind the request has made. Every client may send
 * it, because it only ends requests. The greatest counts where there are several, as a proxy in between may join them; a
 * value that is no number counts as 0.
 */
export function hopsOf(sent: readonly string[]): number {
  let hops = 0;
  for (let at = 0; at < sent.length; at += 2) {
    const name = sent[at] as string;
    if (name.length !== hopsHeader.length || name.toLowerCase() !== hopsHeader) continue;
    for (const value of (sent[at + 1] as string).split(','))
      if (/^\s*\d+\s*$/.test(value)) hops = Math.max(hops, Number(value));
  }
  return hops;
}

const hopsHeader = 'swarmgate-hops';

/** Lower-case names that Connection lists and that may be removed for it. `undefined`: none. */
function namedByConnection(headers: readonly string[]): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    // `connection` has ten letters, `proxy-connection` sixteen: most names are ruled out by their length.
    if (name.length !== 10 && name.length !== 16) continue;
    const lower = name.toLowerCase();
    if (lower !== 'connection' && lower !== 'proxy-connection') continue;
    for (const part of (headers[at + 1] as string).split(',')) {
      const token = part.trim().toLowerCase();
      if (token === '' || token === 'close' || token === 'keep-alive' || neverNamed.has(token)) continue;
      named ??= new Set();
      named.add(token);
    }
  }
  return named;
}

function joined(before: string, added: string): string {
  return before === '' ? added : `${before}, ${added}`;
}
