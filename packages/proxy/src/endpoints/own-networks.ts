import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/**
 * Networks of this machine's (or container's) interfaces as CIDRs, sorted: `10.0.1.7/24`. `undefined` where they cannot be
 * read now: that takes a descriptor.
 */
export function ownSubnets(): readonly string[] | undefined {
  let interfaces: ReturnType<typeof networkInterfaces>;
  try {
    interfaces = networkInterfaces();
  } catch {
    return undefined;
  }
  const found: string[] = [];
  for (const addresses of Object.values(interfaces))
    for (const { cidr, internal } of addresses ?? []) if (cidr !== null && !internal) found.push(cidr);
  return found.sort();
}

/** Docker's embedded DNS, which resolves `tasks.<service>`, has one address in every container on a network of its own. */
export function hasDockerDns(file = '/etc/resolv.conf'): boolean {
  try {
    return /^\s*nameserver\s+127\.0\.0\.11\b/m.test(readFileSync(file, 'utf8'));
  } catch {
    return false;
  }
}
