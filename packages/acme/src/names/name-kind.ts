import { BlockList, isIP } from 'node:net';

/** A DNS name, a wildcard for one label, or an address. */
export type NameKind = 'dns' | 'wildcard' | 'ip';

export function nameKind(name: string): NameKind {
  if (isIP(name) !== 0) return 'ip';
  return name.startsWith('*.') ? 'wildcard' : 'dns';
}

/** Lower case, without the final dot; an IPv6 address in its short form and without brackets. */
export function normalName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
  if (isIP(plain) !== 6) return plain;
  return new URL(`http://[${plain}]/`).hostname.slice(1, -1);
}

/** Whether a certificate for `covering` is good for `name`: a wildcard stands for exactly one label (RFC 9525, 6.3). */
export function covers(covering: string, name: string): boolean {
  if (covering === name) return true;
  if (!covering.startsWith('*.') || nameKind(name) !== 'dns') return false;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === covering.slice(1);
}

/** As `covers`, for many covering names at once. */
export function isCovered(name: string, covering: ReadonlySet<string>): boolean {
  return covering.has(name) || (nameKind(name) === 'dns' && covering.has(`*${name.slice(name.indexOf('.'))}`));
}

/** The form of a name as part of a key: `_wildcard.example.com`; colons of IPv6 become hyphens. */
export function keyPartOf(name: string): string {
  return name.replace(/^\*\./, '_wildcard.').replaceAll(':', '-');
}

// RFC 6890 and IANA's registries of special-purpose addresses: no public CA can reach these, and none may certify them.
const special = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 127],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001:db8::', 32],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  special.addSubnet(network, bits, 'ipv6');

export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !special.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
