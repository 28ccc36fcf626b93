import { isIP } from 'node:net';
import { type Destination, type ServiceDefinition, serviceKey } from '@swarmgate/registry/vocabulary';
import type { Route } from '../../model/route.ts';

/** What middleware calls: a service of the Swarm, or a host that the proxy reaches. */
export interface ServiceAddress {
  readonly route: Route;
  /** For `Host`. */
  readonly authority: string;
  readonly origin: string;
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
}

/**
 * A route to the service that a URL names, so that endpoints are found, balanced and checked as those of every other route:
 * by the registered tasks of that name, else by `tasks.<name>` and the name itself. An address or a name with a dot is a
 * host, never a service. @throws TypeError for what is no URL
 */
export function serviceRoute(url: string, of: Route): ServiceAddress {
  const { protocol, hostname, port, pathname, search, host, origin } = new URL(url);
  const secure = protocol === 'https:';
  const name = hostname.replace(/^\[(.*)\]$/, '$1');
  const upstreamPort = port === '' ? (secure ? 443 : 80) : Number(port);
  const isHost = isIP(name) !== 0 || name.includes('.');
  const destination: Destination = {
    index: 0,
    since: 0,
    port: upstreamPort,
    ...(isHost ? { outboundHostname: name } : {}),
    ...(secure ? { sslVerifyNone: true } : {}),
  };
  const definition: ServiceDefinition = {
    version: 1,
    service: name,
    owner: of.definition.owner,
    source: { kind: 'rest', by: 'middleware' },
    updatedAt: of.definition.updatedAt,
    destinations: [destination],
  };
  const key = serviceKey(definition);
  const route: Route = Object.freeze({
    id: `${key}/${upstreamPort}`,
    key,
    definition,
    destination,
    upstreamPort,
    upstreamSecure: secure,
  });
  return { route, authority: host, origin, path: pathname, query: search };
}
