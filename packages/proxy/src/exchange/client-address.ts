import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * The address of a client whose hop names none that can be read (RFC 7239, section 6.2). It is in no allow list, and has
 * a rate limit of its own.
 */
export const unknownAddress = 'unknown';

/**
 * The client behind trusted hops: the right-most entry of X-Forwarded-For that is not itself a trusted hop. Entries further
 * left come from unknown clients, so they are never used in place of one that cannot be read.
 * @param peer a trusted hop: the client where no entry names another one
 * @param forwardedFor all values, joined by commas. Each entry is an address, with a port or without, or an identifier
 *   (`unknown`, `_hidden`: RFC 7239, section 6)
 * @returns An address in canonical form, an identifier that begins with `_`, or `unknown`.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string {
  if (forwardedFor === undefined) return peer;
  let farthest = peer;
  for (let end = forwardedFor.length; end >= 0; ) {
    const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1);
    const entry = forwardedFor.slice(comma + 1, end).trim();
    const address = addressIn(entry);
    if (address === undefined) return identifierIn(entry);
    if (!isTrusted(address)) return address;
    farthest = address;
    end = comma;
  }
  return farthest;
}

// A number in octal or with leading zeros is an address to some readers and another one to others.
const octet = '(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])';
const ipv4WithPort = new RegExp(`^(${octet}(?:\\.${octet}){3})(?::\\d{1,5})?$`);
const bracketedWithPort = /^\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?$/;
const identifier = /^(unknown|_[A-Za-z0-9._-]{1,63})(?::(?:\d{1,5}|_[A-Za-z0-9._-]{1,63}))?$/;

/** `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`; IPv4-mapped ones become IPv4. */
function addressIn(entry: string): string | undefined {
  const v4 = ipv4WithPort.exec(entry)?.[1];
  if (v4 !== undefined) return v4;
  const v6 = bracketedWithPort.exec(entry)?.[1] ?? entry;
  // A zone means something on the hop's machine only; `::10.0.0.1` is deprecated, and ipaddr.js takes it for IPv4-mapped.
  const isReadable = isIPv6(v6) && !v6.includes('%') && !/^::\d+\./.test(v6);
  return isReadable ? ipaddr.process(v6).toString() : undefined;
}

function identifierIn(entry: string): string {
  return identifier.exec(entry)?.[1] ?? unknownAddress;
}
