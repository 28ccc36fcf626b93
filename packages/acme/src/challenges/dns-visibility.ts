import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { pause } from '@swarmgate/runtime';
import { DnsLookupError, type TxtRecord } from './dns-provider.ts';
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

/**
 * Where a CNAME leads that stands in place of the record; the name itself where there is none.
 * @throws DnsLookupError where the DNS gives no result: a record at the wrong name would fail the validation
 */
export async function aliasOf(name: string, resolvers: readonly string[], signal: AbortSignal): Promise<string> {
  const resolver = resolverAt(resolvers);
  let target = name;
  for (let hop = 0; hop <= mostAliases; hop += 1) {
    signal.throwIfAborted();
    const [next] = await found(() => resolver.resolveCname(target), `the CNAME of ${target}`, resolvers);
    if (next === undefined) return target;
    target = next.toLowerCase().replace(/\.$/, '');
  }
  throw DnsLookupError.of(`the CNAMEs of ${name} lead in a circle or over more than ${mostAliases} names`);
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

/** @throws DnsLookupError where none can be found because the DNS gives no result */
async function authoritativeServers(name: string, { resolvers, servers }: VisibilityOptions): Promise<string[]> {
  const hosts = await nameServersOf(name, resolvers);
  const looked = await Promise.allSettled([...servers, ...hosts].map((host) => addressesOf(host, resolvers)));
  const addresses = looked.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  const failed = looked.find((each) => each.status === 'rejected');
  // One server whose address is unknown is left out; without any, the record would count as served by all of them.
  if (addresses.length === 0 && failed !== undefined) throw failed.reason;
  return [...new Set(addresses)];
}

/** Hosts of the NS records of the nearest zone; empty where no zone has any. @throws DnsLookupError */
async function nameServersOf(name: string, resolvers: readonly string[]): Promise<readonly string[]> {
  const resolver = resolverAt(resolvers);
  const labels = name.split('.');
  for (let at = 0; at < labels.length - 1; at += 1) {
    const zone = labels.slice(at).join('.');
    const hosts = await found(() => resolver.resolveNs(zone), `the name servers of ${zone}`, resolvers);
    if (hosts.length > 0) return hosts;
  }
  return [];
}

/** @throws DnsLookupError */
async function addressesOf(server: string, resolvers: readonly string[]): Promise<string[]> {
  const { host, port } = serverOf(server);
  const at = (address: string) => (isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`);
  if (isIP(host) !== 0) return [at(host)];
  // One address of each family is enough, and a server without IPv6 here must not count as late.
  const resolver = resolverAt(resolvers);
  const addresses = await found(() => resolver.resolve4(host), `the address of ${host}`, resolvers);
  return addresses.slice(0, 1).map(at);
}

/** Responses that mean that there is no such record. Any other error leaves open whether there is one. */
const absences = new Set(['ENODATA', 'ENOTFOUND', 'ENOTIMP']);

async function found<T>(
  query: () => Promise<readonly T[]>,
  what: string,
  resolvers: readonly string[],
): Promise<readonly T[]> {
  try {
    return await query();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (absences.has(code)) return [];
    const by = resolvers.length === 0 ? 'the resolvers of this machine' : resolvers.join(', ');
    throw DnsLookupError.of(`${by} did not return ${what}: ${code === '' ? String(error) : code}`, error);
  }
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
