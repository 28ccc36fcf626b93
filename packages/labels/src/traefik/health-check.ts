import { upstreamDestinationLabels } from '../catalogue/upstream-labels.ts';
import type { Destination } from '../definition/service-definition.ts';
import type { GivenOption, GivenOptions } from './given-options.ts';
import type { NotHonoured } from './service-stickiness.ts';

/**
 * The health check of a service. The proxy’s checks are GET requests to the service’s port that expect 2xx or 3xx. A check that Traefik
 * would make differently is not made at all: healthy tasks could fail it and get no requests.
 */
export function healthCheckOf(
  options: GivenOptions,
  notHonoured: NotHonoured,
): Pick<Destination, 'checkPath' | 'checkIntervalMs'> {
  const get = (key: string) => options.get(`loadbalancer.healthcheck.${key}`);
  const path = get('path');
  if (path === undefined) return {};
  const parsed = upstreamDestinationLabels.checkPath.parse(path.value, { separator: ',' });
  if (!parsed.ok) notHonoured(path, `expected ${parsed.expected}`, 'correct it');
  const interval = get('interval');
  const intervalMs = interval === undefined ? undefined : milliseconds(interval.value);
  if (interval !== undefined && intervalMs === undefined)
    notHonoured(interval, 'expected a time such as 30s', 'correct it');
  const others = othersIn(options);
  for (const other of others)
    notHonoured(
      other,
      'checks are GET requests to the port of the service that expect 2xx or 3xx, so its tasks are not checked by the proxy',
      'leave it out, or give the service a HEALTHCHECK of Docker',
    );
  if (!parsed.ok || parsed.value === undefined || others.length > 0) return {};
  return {
    checkPath: parsed.value,
    ...(intervalMs === undefined ? {} : { checkIntervalMs: Math.min(3_600_000, Math.max(100, intervalMs)) }),
  };
}

/** Options that make a check differ from such a GET request. */
function othersIn(options: GivenOptions): readonly GivenOption[] {
  const server = (key: string, usual: string) => textOf(options.get(`loadbalancer.server.${key}`), usual);
  const usual: Readonly<Record<string, (text: string) => boolean>> = {
    mode: (text) => text === 'http',
    method: (text) => text === 'get' || text === 'head',
    status: (text) => text === '0' || /^[23]\d\d$/.test(text),
    scheme: (text) => text === server('scheme', 'http'),
    port: (text) => text === '0' || text === server('port', ''),
    hostname: () => false,
  };
  return [...options].flatMap(([key, given]) => {
    const [, name = ''] = /^loadbalancer\.healthcheck\.([^.]+)/.exec(key) ?? [];
    // Its value may be a credential, and problems are readable without one.
    if (name === 'headers') return [{ ...given, value: '…' }];
    return usual[name] === undefined || given.value.trim() === '' || usual[name](textOf(given, '')) ? [] : [given];
  });
}

const textOf = (given: GivenOption | undefined, usual: string): string => given?.value.trim().toLowerCase() || usual;

/** Go's durations: `30s`, `1m30s`, `500ms`; a number alone is seconds. */
function milliseconds(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d{1,7}$/.test(trimmed)) return Number(trimmed) * 1000;
  if (!/^(\d{1,9}(\.\d{1,6})?(ms|s|m|h))+$/.test(trimmed)) return undefined;
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let sum = 0;
  for (const [, value, , unit] of trimmed.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g))
    sum += Number(value) * (units[unit ?? ''] ?? 0);
  return Math.round(sum);
}
