import { readdirSync, readFileSync } from 'node:fs';

/** Sockets of this network namespace that a process still holds, by the local port: what `ss` shows. IPv4 only. */
export function openConnections(localPorts: ReadonlySet<number>): readonly { readonly remotePort: number }[] {
  const [, ...rows] = readFileSync('/proc/self/net/tcp', 'utf8').trim().split('\n');
  return rows.flatMap((row) => {
    const [, local = '', remote = '', state, , , , , , inode] = row.trim().split(/\s+/);
    const isListening = state === '0A';
    // Without an inode it is the kernel's alone: TIME_WAIT, or a FIN that is not acknowledged yet.
    if (inode === '0' || isListening || !localPorts.has(portOf(local))) return [];
    return [{ remotePort: portOf(remote) }];
  });
}

export function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function portOf(hexAddress: string): number {
  return Number.parseInt(hexAddress.slice(hexAddress.indexOf(':') + 1), 16);
}
