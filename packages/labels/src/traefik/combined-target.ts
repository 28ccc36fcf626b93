import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../definition/problem.ts';
import { type OutboundServer, readOutboundServer } from '../values/outbound-servers.ts';
import { textOfServer } from './file-servers.ts';
import type { GivenOption, GivenOptions } from './given-options.ts';
import { reportTo, stickinessOf } from './service-stickiness.ts';
import type { FoundTarget, Target } from './target.ts';
import type { TraefikService } from './traefik-options.ts';

/** A service of other services: `weighted` or `failover`, in `TRAEFIK_FILE` alone. */
interface Combined {
  readonly name: string;
  readonly owner: TraefikService;
  readonly options: GivenOptions;
}

export function isCombined(options: GivenOptions): boolean {
  return kindOf(options) !== undefined;
}

/**
 * The servers of all its services as one group, each with its part of the requests. Where one of them cannot be had nothing is served,
 * as in Traefik. Pure.
 *
 * @param targetAt the target of one of its services
 */
export function combinedTarget(combined: Combined, targetAt: (service: GivenOption) => FoundTarget): FoundTarget {
  return kindOf(combined.options) === 'failover' ? failover(combined, targetAt) : weighted(combined, targetAt);
}

function kindOf(options: GivenOptions): 'weighted' | 'failover' | undefined {
  for (const key of options.keys()) {
    const [kind] = key.split('.');
    if (kind === 'weighted' || kind === 'failover') return kind;
  }
  return undefined;
}

function weighted({ name, owner, options }: Combined, targetAt: (service: GivenOption) => FoundTarget): FoundTarget {
  const problems: Problem[] = [];
  const parts: Part[] = [];
  const [first] = options.values();
  for (let at = 0; at < servicesOf(options); at += 1) {
    const service = options.get(`weighted.services[${at}].name`);
    if (service === undefined) return notServed(first, `${name} has a service without a name`);
    const given = options.get(`weighted.services[${at}].weight`);
    const weight = given === undefined ? 1 : Number(given.value.trim());
    if (given !== undefined && !/^\d{1,6}$/.test(given.value.trim()))
      return notServed(given, `${given.label} is no whole number from 0 to 999,999`);
    const found = targetAt(service);
    if (!found.ok) return found;
    const fault = faultOf(found.target);
    if (fault !== undefined) return notServed(service, `${service.value.trim()} ${fault}`);
    problems.push(...found.problems);
    if (weight > 0) parts.push({ target: found.target, service, weight });
  }
  if (parts.length === 0) return notServed(first, `${name} has no service with a weight above 0`);
  const group = groupOf(parts, problems);
  if (typeof group === 'string') return notServed(first, `the services of ${name} ${group}`);
  const servers = sharesOf(parts);
  if (servers.length > mostServers)
    return notServed(first, `${name} leads to ${servers.length} servers, and ${mostServers} are the most`);
  const notHonoured = reportTo(problems);
  const own = stickinessOf(options, 'weighted', notHonoured);
  const overrides = own.sessionType === undefined ? stickyPart(parts, problems) : own;
  return { ok: true, target: { ...targetTo(owner, servers, group), overrides }, problems };
}

/** Requests go to the second service while no server of the first one can take them. */
function failover({ name, owner, options }: Combined, targetAt: (service: GivenOption) => FoundTarget): FoundTarget {
  const problems: Problem[] = [];
  const [first] = options.values();
  const parts: Part[] = [];
  for (const key of ['service', 'fallback']) {
    const service = options.get(`failover.${key}`);
    if (service === undefined) return notServed(first, `${name} has no ${key}`);
    const found = targetAt(service);
    if (!found.ok) return found;
    const fault = faultOf(found.target);
    if (fault !== undefined) return notServed(service, `${service.value.trim()} ${fault}`);
    problems.push(...found.problems);
    parts.push({ target: found.target, service, weight: 1 });
  }
  const notHonoured = reportTo(problems);
  for (const [key, given] of options)
    if (key.startsWith('failover.errors.'))
      notHonoured(given, 'responses of the first service go to the client as they are', 'leave it out');
  const group = groupOf(parts, problems);
  if (typeof group === 'string') return notServed(first, `the services of ${name} ${group}`);
  const [servers = [], backups = []] = parts.map((part) => sharesOf([part]));
  const target = targetTo(owner, servers, { ...group, backupServers: backups.map(textOfServer) });
  return { ok: true, target: { ...target, overrides: stickyPart(parts, problems) }, problems };
}

interface Part {
  readonly target: Target;
  readonly service: GivenOption;
  readonly weight: number;
}

/** As many as any option of a service has an index. */
function servicesOf(options: GivenOptions): number {
  return new Set([...options.keys()].flatMap((key) => /^weighted\.services\[(\d+)\]/.exec(key)?.[1] ?? [])).size;
}

function faultOf({ isInternal, fields }: Target): string | undefined {
  if (isInternal === true) return 'is Traefik’s own';
  return fields.backupServers === undefined ? undefined : 'is a failover, which no other service can lead to';
}

/** What all of its services have in common. A text: what they differ in. */
function groupOf(parts: readonly Part[], problems: Problem[]): Target['fields'] | string {
  const [first, ...more] = parts;
  if (first === undefined) return 'are none';
  const { fields } = first.target;
  const differs = (field: keyof Target['fields']) =>
    more.some(({ target }) => !isDeepStrictEqual(target.fields[field], fields[field]));
  if (differs('protocol') || differs('sslVerifyNone')) return 'are not all of one scheme';
  if (differs('passHostHeader')) return 'are not all of one passHostHeader';
  if (differs('sendProxyHeader')) return 'are not all of one proxyProtocol';
  const { protocol, sslVerifyNone, passHostHeader, sendProxyHeader, checkPath, checkIntervalMs } = fields;
  const isChecked = checkPath !== undefined && !differs('checkPath');
  const checked = parts.find(({ target }) => target.fields.checkPath !== undefined);
  if (!isChecked)
    reportTo(problems)(
      checked?.service,
      'the services it is grouped with have other health checks, so none of them is checked',
      'give all of them one healthcheck.path',
    );
  return {
    ...(protocol === undefined ? {} : { protocol }),
    ...(sslVerifyNone === undefined ? {} : { sslVerifyNone }),
    ...(passHostHeader === undefined ? {} : { passHostHeader }),
    ...(sendProxyHeader === undefined ? {} : { sendProxyHeader }),
    ...(isChecked ? { checkPath } : {}),
    ...(isChecked && checkIntervalMs !== undefined ? { checkIntervalMs } : {}),
  };
}

/** A client that one of the services keeps at its server is kept at one of all. */
function stickyPart(parts: readonly Part[], problems: Problem[]): Target['overrides'] {
  const sticky = parts.find(({ target }) => target.overrides.sessionType !== undefined);
  if (sticky === undefined) return {};
  reportTo(problems)(
    parts.length > 1 ? sticky.service : undefined,
    'its sticky cookie keeps a client at one server of all services, not of this one alone',
    'write weighted.sticky.cookie',
  );
  return sticky.target.overrides;
}

function targetTo(
  owner: TraefikService,
  servers: readonly OutboundServer[],
  fields: Target['fields'],
): Omit<Target, 'overrides'> {
  const [first] = servers;
  return {
    owner,
    port: first?.port ?? 80,
    fields: { ...fields, outboundHostname: first?.host ?? owner.name, outboundServers: servers.map(textOfServer) },
  };
}

/** The servers of a service; of one of the Swarm its tasks, wherever they run. */
function serversOf({ owner, port, fields }: Target): readonly OutboundServer[] {
  const { outboundServers, outboundHostname } = fields;
  if (outboundServers !== undefined) return outboundServers.flatMap((text) => readOutboundServer(text) ?? []);
  return [{ host: outboundHostname ?? `tasks.${owner.name}`, port }];
}

/** Each server with its part of the whole, as whole numbers up to 1,000: exact where they suffice. */
function sharesOf(parts: readonly Part[]): readonly OutboundServer[] {
  const all = parts.map(({ target, weight }) => {
    const servers = serversOf(target);
    return { servers, weight, total: servers.reduce((sum, { weight: own = 1 }) => sum + own, 0) };
  });
  const common = all.reduce(
    (multiple, { total }) => (multiple / divisorOf(multiple, BigInt(total))) * BigInt(total),
    1n,
  );
  const shares = all.flatMap(({ servers, weight, total }) =>
    servers.map(({ host, port, weight: own = 1 }) => ({
      host,
      port,
      share: (BigInt(weight * own) * common) / BigInt(total),
    })),
  );
  const divisor = shares.reduce((found, { share }) => divisorOf(found, share), 0n);
  const [largest = 0n] = shares.map(({ share }) => share).toSorted((one, other) => (one < other ? 1 : -1));
  const most = largest / divisor;
  const scaled = (share: bigint) =>
    most <= mostWeight ? Number(share / divisor) : Math.max(1, Number((share / divisor) * mostWeight) / Number(most));
  return shares.map(({ host, port, share }) => {
    const weight = Math.round(scaled(share));
    return shares.length === 1 ? { host, port } : { host, port, weight };
  });
}

function divisorOf(one: bigint, other: bigint): bigint {
  return other === 0n ? one : divisorOf(other, one % other);
}

function notServed(given: GivenOption | undefined, why: string): FoundTarget {
  return {
    ok: false,
    problems: [
      {
        severity: 'error',
        reason: 'service-combined',
        message: `${why}, so what leads there is not served`,
        label: given?.label ?? '',
        suggestion: 'correct it in TRAEFIK_FILE',
      },
    ],
  };
}

/** As `outboundServers` takes them. */
const mostServers = 100;
const mostWeight = 1_000n;
