import type { Problem } from '../definition/problem.ts';
import { nearestName } from '../values/nearest-name.ts';
import type { GivenOptions } from './given-options.ts';
import { splitList } from './middleware-calls.ts';
import type { TraefikOptions } from './traefik-options.ts';

/** `entryPorts` of a router. None: it is served nowhere. */
export interface RouterEntrypoints {
  readonly ports: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * An entrypoint that is not known serves nothing: what it was meant for may be internal. `tls` leaves the ports that have TLS.
 */
export function routerEntrypoints(
  options: GivenOptions,
  router: string,
  { entrypoints }: Pick<TraefikOptions, 'entrypoints'>,
): RouterEntrypoints {
  const given = options.get('entrypoints');
  const isSecure = hasTls(options);
  // A router without `tls` takes no TLS connection in Traefik, unless its entrypoint says otherwise.
  if (given === undefined) return { ports: [isSecure ? 'ssl' : 'plain'], problems: [] };
  const problems: Problem[] = [];
  const known: string[] = [];
  for (const name of splitList(given.value)) {
    const ports = entrypoints.get(name.toLowerCase());
    if (ports === undefined) problems.push(unknownProblem(name, router, given.label, entrypoints));
    else known.push(...ports);
  }
  const ports = isSecure ? known.flatMap(withTls) : known;
  if (isSecure && known.length > 0 && ports.length === 0)
    problems.push({
      severity: 'warning',
      reason: 'tls-at-plain-entrypoint',
      message: `the router ${router} has TLS, and its entrypoints ${given.value} have none, so it is not served`,
      label: given.label,
      value: given.value.slice(0, 100),
      suggestion: 'name an entrypoint with TLS, or leave tls out',
    });
  return { ports: [...new Set(ports)], problems };
}

export function hasTls(options: GivenOptions): boolean {
  const alone = options.get('tls');
  const isOff = alone !== undefined && /^(0|f|false)$/i.test(alone.value.trim());
  return [...options.keys()].some((key) => key.startsWith('tls.')) || (alone !== undefined && !isOff);
}

function withTls(port: string): readonly string[] {
  if (port === 'plain') return [];
  return [port === 'ssl' || port.endsWith(':ssl') ? port : `${port}:ssl`];
}

function unknownProblem(
  name: string,
  router: string,
  label: string,
  entrypoints: TraefikOptions['entrypoints'],
): Problem {
  const nearest = nearestName(name, entrypoints.keys());
  return {
    severity: 'error',
    reason: 'entrypoint-unknown',
    message: `there is no entrypoint ${name}: the router ${router} is not served there`,
    label,
    value: name.slice(0, 100),
    suggestion: nearest === undefined ? `name its port: TRAEFIK_ENTRYPOINTS=${name}=8000` : `did you mean ${nearest}?`,
  };
}
