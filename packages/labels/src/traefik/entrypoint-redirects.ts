import type { Destination } from '../definition/service-definition.ts';
import { deadEnd } from './middleware-uses.ts';
import { redirectStatus } from './router-entrypoints.ts';
import type { TraefikOptions } from './traefik-options.ts';

/** Id and name of what entrypoints do without any router, among the services of the Swarm. */
export const entrypointsName = 'traefik-entrypoints';

/** Traefik's lowest: every router comes before. */
const lowestPriority = -2_147_483_647;

/** Of documentation (RFC 5737). A route needs an address, and no request is forwarded to this one. */
const unusedAddress = '192.0.2.1';

/**
 * Routes for what no router takes: Traefik redirects every request to an entrypoint with a redirection, of unknown hosts too. Those of
 * routers redirect by themselves. None: no entrypoint redirects.
 */
export function entrypointRedirects(options: TraefikOptions, nowMs: number): readonly Destination[] {
  const { entrypoints, entrypointOptions = new Map() } = options;
  const hasOthers = [...entrypoints.values()].flat().some((port) => /^\d+$/.test(port) && port !== '80');
  const statusByPort = new Map<string, 307 | 308>();
  for (const [name, { redirect }] of entrypointOptions) {
    if (redirect === undefined) continue;
    // Where others have plain ports of their own, `web` is the usual one alone.
    for (const port of entrypoints.get(name) ?? [])
      statusByPort.set(port === 'plain' && hasOthers ? '80' : port, redirectStatus(redirect));
  }
  const groups = [...Map.groupBy(statusByPort, ([, status]) => status)];
  return groups.map(
    ([status, same], at): Destination => ({
      index: groups.length === 1 ? 0 : at + 1,
      since: nowMs,
      servicePath: ['/'],
      entryPorts: same.map(([port]) => port),
      priority: lowestPriority,
      port: 80,
      outboundHostname: unusedAddress,
      httpsOnly: true,
      httpsRedirectCode: status,
      // A trusted hop may have ended TLS: there is nothing behind the redirection.
      middlewares: [deadEnd],
    }),
  );
}
