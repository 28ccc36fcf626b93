import { isIPv4, isIPv6 } from 'node:net';

/**
 * The header that a proxy in front of this one sends before a connection's own bytes, by HAProxy's specification of the PROXY
 * protocol, versions 1 and 2.
 */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid'; readonly reason: string }
  | {
      readonly kind: 'header';
      /** Bytes behind it are the client's. */
      readonly lengthBytes: number;
      /** The client's address. `undefined`: the proxy's own connection (LOCAL, UNKNOWN), such as a health check. */
      readonly source: string | undefined;
    };

/** Maximum size of a version 2 header with all TLVs that proxies send. */
export const mostProxyHeaderBytes = 4_096;

export const binarySignature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const firstWord = Buffer.from('PROXY ', 'latin1');
/** Section 2.1: the longest line there can be, with its end. */
const mostLineBytes = 107;

/** Parses the first bytes of a connection. Bytes that are no header are `invalid`, never passed on as the client's. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (begins(bytes, binarySignature)) return bytes.length < 16 ? incomplete : readBinary(bytes);
  if (begins(bytes, firstWord)) return bytes.length < firstWord.length ? incomplete : readLine(bytes);
  return invalid('it does not begin with a PROXY header');
}

/** Whether the bytes, as far as they go, are those of the prefix. */
function begins(bytes: Buffer, prefix: Buffer): boolean {
  const length = Math.min(bytes.length, prefix.length);
  return bytes.subarray(0, length).equals(prefix.subarray(0, length));
}

function readLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, mostLineBytes).indexOf('\r\n');
  if (end === -1) return bytes.length < mostLineBytes ? incomplete : invalid('its line does not end');
  const lengthBytes = end + 2;
  const [, family, source = '', target = '', sourcePort = '', targetPort = '', ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  // Section 2.1: whatever follows UNKNOWN is to be ignored.
  if (family === 'UNKNOWN') return { kind: 'header', lengthBytes, source: undefined };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  if (isAddress === undefined) return invalid('its protocol is none of TCP4, TCP6, UNKNOWN');
  const sound = isAddress(source) && isAddress(target) && isPort(sourcePort) && isPort(targetPort) && more.length === 0;
  return sound ? { kind: 'header', lengthBytes, source } : invalid('its addresses cannot be read');
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readBinary(bytes: Buffer): ProxyHeader {
  const version = (bytes[12] as number) >> 4;
  const command = (bytes[12] as number) & 0x0f;
  const family = (bytes[13] as number) >> 4;
  const transport = (bytes[13] as number) & 0x0f;
  const contentBytes = bytes.readUInt16BE(14);
  const lengthBytes = 16 + contentBytes;
  if (version !== 2 || command > 1) return invalid('its version or command is unknown');
  if (lengthBytes > mostProxyHeaderBytes) return invalid('it is too long');
  if (bytes.length < lengthBytes) return incomplete;
  // Section 2.2: LOCAL, and families without a usable address, keep the connection's own.
  if (command === 0 || family === 0 || family === 3) return { kind: 'header', lengthBytes, source: undefined };
  if (transport !== 1) return invalid('it does not speak of TCP');
  const content = bytes.subarray(16, lengthBytes);
  if (family === 1 && content.length >= 12) return { kind: 'header', lengthBytes, source: asIPv4(content) };
  if (family === 2 && content.length >= 36) return { kind: 'header', lengthBytes, source: asIPv6(content) };
  return invalid('its addresses cannot be read');
}

function asIPv4(content: Buffer): string {
  return content.subarray(0, 4).join('.');
}

function asIPv6(content: Buffer): string {
  if (content.subarray(0, 12).equals(mappedPrefix)) return asIPv4(content.subarray(12));
  const groups = Array.from({ length: 8 }, (_, at) => content.readUInt16BE(at * 2).toString(16));
  // In the canonical text form (RFC 5952).
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

const incomplete: ProxyHeader = { kind: 'incomplete' };

/** `::ffff:0:0/96`: an IPv4 address as a socket for both families has it. */
export const mappedPrefix = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

function invalid(reason: string): ProxyHeader {
  return { kind: 'invalid', reason };
}
