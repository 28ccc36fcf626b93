import { isIP } from 'node:net';

/** The server name that a CA sends for tls-alpn-01: the name, or for an address its reverse name (RFC 8738, section 6). */
export function serverNameOf(name: string): string {
  const family = isIP(name);
  if (family === 0) return name;
  if (family === 4) return `${name.split('.').toReversed().join('.')}.in-addr.arpa`;
  return `${expanded(name).split('').toReversed().join('.')}.ip6.arpa`;
}

/** The 32 hexadecimal digits of an IPv6 address. */
function expanded(address: string): string {
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groups = (text: string | undefined) => (text === undefined || text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = groups(tail);
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join('');
}
