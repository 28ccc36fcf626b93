import { isIP, isIPv4 } from 'node:net';

/** An address range. `address` is as it was written. */
export interface Network {
  readonly family: 4 | 6;
  readonly address: string;
  readonly bits: number;
}

/** A CIDR, or an address, which is the network of that one address. No zone (`fe80::1%eth0`): it holds on one host only. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || address.includes('%')) return undefined;
  const most = family === 4 ? 32 : 128;
  if (slash === -1) return { family, address, bits: most };
  const bits = text.slice(slash + 1);
  return /^\d{1,3}$/.test(bits) && Number(bits) <= most ? { family, address, bits: Number(bits) } : undefined;
}

/** `::ffff:10.0.0.7` is 10.0.0.7 on a socket that takes both families. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}
