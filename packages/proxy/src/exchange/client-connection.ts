import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type EntrypointSetting, parseNetwork, plainAddress } from '@swarmgate/runtime';
import { type AddressList, addressList } from '../http/address-list.ts';
import type { ClientConnection } from '../model/exchange.ts';
import { clientAddress } from './client-address.ts';
import { clientCertificateOf } from './client-certificate.ts';

/** Whether an address belongs to a trusted proxy, whose X-Forwarded-* headers are used. */
export type TrustedProxies = AddressList;

/**
 * @param cidrs `TRUSTED_PROXIES`: CIDRs or single addresses.
 * @throws RangeError naming the entry that is neither.
 */
export function trustedProxies(cidrs: readonly string[]): TrustedProxies {
  for (const cidr of cidrs)
    if (parseNetwork(cidr) === undefined)
      throw new RangeError(`TRUSTED_PROXIES: ${JSON.stringify(cidr)} is not an address or a CIDR such as 10.0.0.0/8`);
  return addressList(cidrs);
}

/** What one connection contributes to every request on it. Made once per connection. */
export interface ConnectionInfo {
  /** Without the `::ffff:` that a dual-stack socket puts before an IPv4 address. */
  readonly peerAddress: string;
  readonly peerTrusted: boolean;
  readonly entryPort: number;
  /** Under which clients reach the entrypoint, where `PUBLISHED_PORTS` names another one. */
  readonly publishedPort?: number;
  readonly secure: boolean;
  readonly certificateVerified: boolean;
  /** Reads it; absent where none is verified. */
  readonly certificate?: NonNullable<ClientConnection['certificate']>;
  /** The connection's TLS context checks client certificates by another rule than `CA_FILE`. */
  readonly misdirected?: boolean;
}

const misdirected = new WeakSet<Socket>();

/** A TLS connection whose context checks client certificates against other authorities than this proxy's routes require. */
export function markMisdirected(secured: TLSSocket): void {
  misdirected.add(secured);
}

/** @param publishedPorts `PUBLISHED_PORTS`. Default: none differs */
export function connectionInfo(
  socket: Socket,
  entrypoint: EntrypointSetting,
  trusted: TrustedProxies,
  publishedPorts?: ReadonlyMap<number, number>,
): ConnectionInfo {
  const peerAddress = plainAddress(socket.remoteAddress ?? '');
  const publishedPort = publishedPorts?.get(entrypoint.port);
  const secure = socket instanceof TLSSocket;
  const peerTrusted = trusted(peerAddress);
  // Of nearly all connections without TLS: optional parts would be copied together for each.
  if (!secure && publishedPort === undefined)
    return { peerAddress, peerTrusted, entryPort: entrypoint.port, secure, certificateVerified: false };
  const isVerified = secure && !misdirected.has(socket) && socket.authorized && hasPeerCertificate(socket);
  return {
    peerAddress,
    peerTrusted,
    entryPort: entrypoint.port,
    ...(publishedPort === undefined ? {} : { publishedPort }),
    secure,
    certificateVerified: isVerified,
    ...(isVerified ? { certificate: clientCertificateOf(socket) } : {}),
    ...(misdirected.has(socket) ? { misdirected: true } : {}),
  };
}

/** What X-Forwarded-Proto means. `wss` and `ws` are what some hops send for WebSocket. */
const schemes: ReadonlyMap<string, 'http' | 'https'> = new Map([
  ['https', 'https'],
  ['wss', 'https'],
  ['http', 'http'],
  ['ws', 'http'],
]);

/** The client as one request shows it: behind a trusted hop as that hop's X-Forwarded-* headers have it. */
export function clientOf(
  facts: ConnectionInfo,
  header: (name: string) => string | undefined,
  trusted: TrustedProxies,
): ClientConnection {
  const { peerAddress, peerTrusted, entryPort, secure, certificateVerified, misdirected: isMisdirected } = facts;
  const sentScheme = peerTrusted ? header('x-forwarded-proto')?.trim().toLowerCase() : undefined;
  const scheme = schemes.get(sentScheme ?? '') ?? (secure ? 'https' : 'http');
  const address = peerTrusted ? clientAddress(peerAddress, header('x-forwarded-for'), trusted) : peerAddress;
  const forwardedPort = peerTrusted ? portIn(header('x-forwarded-port')) : undefined;
  const client = { address, entryPort, secure, scheme, trustedHop: peerTrusted, certificateVerified } as const;
  const { publishedPort, certificate } = facts;
  const isPlain = isMisdirected !== true && forwardedPort === undefined && certificate === undefined;
  if (isPlain && publishedPort === undefined) return client;
  return {
    ...client,
    ...(certificate === undefined ? {} : { certificate }),
    ...(publishedPort === undefined ? {} : { publishedPort }),
    ...(forwardedPort === undefined ? {} : { forwardedPort }),
    ...(isMisdirected === true ? { misdirected: true } : {}),
  };
}

function portIn(text: string | undefined): number | undefined {
  const port = text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function hasPeerCertificate(socket: TLSSocket): boolean {
  // An empty object means that the client sent none.
  return Object.keys(socket.getPeerCertificate()).length > 0;
}
