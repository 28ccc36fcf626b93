import { isIPv4, isIPv6 } from 'node:net';
import { plainAddress } from '@swarmgate/runtime';
import { binarySignature, mappedPrefix } from './proxy-header.ts';

export type ProxyHeaderVersion = 'v1' | 'v2';
/** What a socket knows of its two ends. */
export interface ProxiedClient {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/**
 * The PROXY header that an endpoint gets before a client's bytes: the client's address and port, and those it has connected to
 * (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt, sections 2.1 and 2.2). An IPv4 address beside an IPv6 one is written as
 * an IPv4-mapped IPv6 address. Where an address is unknown, as of a closed connection, the header is UNKNOWN.
 */
export function sentProxyHeader(version: ProxyHeaderVersion, client: ProxiedClient): Buffer {
  const from = addressOf(client.remoteAddress);
  const to = addressOf(client.localAddress);
  if (from === undefined || to === undefined) return version === 'v1' ? unknownLine : unknownBinary;
  const ports = [client.remotePort ?? 0, client.localPort ?? 0] as const;
  const isBoth4 = isIPv4(from) && isIPv4(to);
  if (version === 'v2') return binary(isBoth4 ? [bytesOf4(from), bytesOf4(to)] : [bytesOf6(from), bytesOf6(to)], ports);
  const [source, target] = isBoth4 ? [from, to] : [as6(from), as6(to)];
  return Buffer.from(`PROXY TCP${isBoth4 ? 4 : 6} ${source} ${target} ${ports[0]} ${ports[1]}\r\n`, 'latin1');
}

/** @param version `undefined`: the service takes no header */
export function greetingOf(version: ProxyHeaderVersion | undefined, client: ProxiedClient): Buffer | undefined {
  return version === undefined ? undefined : sentProxyHeader(version, client);
}

/** Without the zone of a link-local address, which means nothing elsewhere. */
function addressOf(given: string | undefined): string | undefined {
  const address = plainAddress(given ?? '').replace(/%.*$/, '');
  return isIPv4(address) || isIPv6(address) ? address : undefined;
}

const as6 = (address: string): string => (isIPv4(address) ? `::ffff:${address}` : address);

function binary([from, to]: readonly [Buffer, Buffer], ports: readonly [number, number]): Buffer {
  const content = Buffer.concat([from, to, Buffer.alloc(4)]);
  content.writeUInt16BE(ports[0], content.length - 4);
  content.writeUInt16BE(ports[1], content.length - 2);
  // Version 2, PROXY; the family, STREAM; the length of what follows.
  return Buffer.concat([
    binarySignature,
    Buffer.from([0x21, from.length === 4 ? 0x11 : 0x21, 0, content.length]),
    content,
  ]);
}

function bytesOf4(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function bytesOf6(address: string): Buffer {
  if (isIPv4(address)) return Buffer.concat([mappedPrefix, bytesOf4(address)]);
  // In the canonical text form, where no part is written as IPv4 (RFC 5952).
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groupsOf = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const first = groupsOf(head);
  const last = groupsOf(tail ?? '');
  const bytes = Buffer.alloc(16);
  for (const [at, group] of first.entries()) bytes.writeUInt16BE(group, at * 2);
  for (const [at, group] of last.entries()) bytes.writeUInt16BE(group, (8 - last.length + at) * 2);
  return bytes;
}

const unknownLine = Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
const unknownBinary = Buffer.concat([binarySignature, Buffer.from([0x21, 0, 0, 0])]);
