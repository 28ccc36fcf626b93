import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { pause } from '@swarmgate/runtime';
import type { TxtRecord } from './dns-provider.ts';
import { serverOf } from './rfc2136-provider.ts';

export interface VisibilityOptions {
  /** Resolvers that find zones and their servers, `address` or `address:port`. Empty: those of the system. */
  readonly resolvers: readonly string[];
  /** Authoritative servers that are known beside the zone's NS records. */
  readonly servers: readonly string[];
  /** How long all of them may take to serve the record, in milliseconds. Default 120,000. */
  readonly timeoutMs?: number;
  /** Between two looks at one server. Default 1,000. */
  readonly lookEveryMs?: number;
}

const mostAliases = 8;

/** Where a CNAME leads that stands in place of the record; the name itself where there is none. */
export async function aliasOf(name: string, resolvers: readonly string[], signal: AbortSignal): Promise<string> {
  const resolver = resolverAt(resolvers);
  let target = name;
  for (let hop = 0; hop < mostAliases && !signal.aborted; hop += 1) {
    const [next] = await resolver.resolveCname(target).catch(() => []);
    if (next === undefined) break;
    target = next.toLowerCase().replace(/\.$/, '');
  }
  return target;
}

/** Resolves with the authoritative servers that do not serve the record when the time is over; empty: all serve it. */
export async function serversWithout(
  record: TxtRecord,
  options: VisibilityOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { timeoutMs = 120_000, lookEveryMs = 1_000 } = options;
  const endMs = performance.now() + timeoutMs;
  const servers = await authoritativeServers(record.name, options);
  const waiting = servers.map(async (server) => {
    for (;;) {
      if (await serves(server, record)) return undefined;
      if (signal.aborted || performance.now() >= endMs) return server;
      await pause(lookEveryMs, signal);
    }
  });
  const late = await Promise.all(waiting);
  signal.throwIfAborted();
  return late.filter((server) => server !== undefined);
}

async function authoritativeServers(name: string, { resolvers, servers }: VisibilityOptions): Promise<string[]> {
  const known = await Promise.all(servers.map((server) => addressesOf(server, resolvers)));
  const found = await nameServersOf(name, resolvers);
  return [...new Set([...known.flat(), ...found])];
}

/** Addresses of the servers in the NS records of the nearest zone; empty where the DNS cannot be asked. */
async function nameServersOf(name: string, resolvers: readonly string[]): Promise<string[]> {
  const resolver = resolverAt(resolvers);
  const labels = name.split('.');
  for (let at = 0; at < labels.length - 1; at += 1) {
    const hosts = await resolver.resolveNs(labels.slice(at).join('.')).catch(() => []);
    if (hosts.length === 0) continue;
    const addresses = await Promise.all(hosts.map((host) => addressesOf(host, resolvers)));
    return addresses.flat();
  }
  return [];
}

async function addressesOf(server: string, resolvers: readonly string[]): Promise<string[]> {
  const { host, port } = serverOf(server);
  const at = (address: string) => (isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`);
  if (isIP(host) !== 0) return [at(host)];
  // One address of each family is enough, and a server without IPv6 here must not count as late.
  const addresses = await resolverAt(resolvers)
    .resolve4(host)
    .catch(() => []);
  return addresses.slice(0, 1).map(at);
}

async function serves(server: string, { name, value }: TxtRecord): Promise<boolean> {
  const records = await resolverAt([server])
    .resolveTxt(name)
    .catch(() => []);
  return records.some((parts) => parts.join('') === value);
}

function resolverAt(servers: readonly string[]): Resolver {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  if (servers.length > 0) resolver.setServers([...servers]);
  return resolver;
}
