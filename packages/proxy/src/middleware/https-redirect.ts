import type { EntrypointSetting } from '@swarmgate/runtime';
import { type Exchange, forwardedPath } from '../model/exchange.ts';
import { proceed, redirect, refuse } from './local-responses.ts';
import type { Decision, Middleware } from './middleware.ts';

export interface HttpsRedirectOptions {
  /** As explain shows it. */
  readonly name: 'httpsOnly' | 'HTTPS_ONLY';
  /** 301, 302, 303, 307 or 308. */
  readonly status: number;
  readonly ports: SecurePorts;
}

/** Where clients reach this proxy by TLS. */
export interface SecurePorts {
  /** By `PUBLISHED_PORTS`; absent where it does not name the port of a `:ssl` entrypoint. */
  readonly published?: number;
  /** Of the `:ssl` entrypoint. Absent: 443. */
  readonly entrypoint?: number;
}

/** 443 where that is an entrypoint or nothing ends TLS here (a load balancer does), else the first `:ssl` entrypoint. */
export function securePortsOf(
  entrypoints: readonly EntrypointSetting[],
  published: ReadonlyMap<number, number>,
): SecurePorts {
  const ports = entrypoints.flatMap(({ port, secure }) => (secure ? [port] : []));
  const entrypoint = ports.includes(443) ? undefined : ports[0];
  const mapped = [entrypoint ?? 443, ...ports].flatMap((port) => published.get(port) ?? [])[0];
  return {
    ...(mapped === undefined ? {} : { published: mapped }),
    ...(entrypoint === undefined ? {} : { entrypoint }),
  };
}

/** Redirects to https unless the client uses it already, to this proxy or, as it states, to a trusted proxy. */
export function httpsOnly({ name, status, ports }: HttpsRedirectOptions): Middleware {
  return {
    name,
    onRequest: (exchange) => (exchange.client.scheme === 'https' ? proceed : toHttps(exchange, status, ports)),
  };
}

/**
 * `redirectWhenHttpProto`: only where a trusted hop stands in between and the client reached it by http.
 * `redirectUnlessHttpsProto`: wherever https is not proven. A client’s own X-Forwarded-Proto proves nothing.
 */
export function forwardedProtoRedirect(
  name: 'redirectWhenHttpProto' | 'redirectUnlessHttpsProto',
  ports: SecurePorts,
): Middleware {
  return {
    name,
    onRequest(exchange) {
      const { trustedHop, scheme } = exchange.client;
      const applies = name === 'redirectUnlessHttpsProto' || trustedHop;
      return applies && scheme !== 'https' ? toHttps(exchange, 302, ports) : proceed;
    },
  };
}

function toHttps(exchange: Exchange, status: number, ports: SecurePorts): Decision {
  const { host, query } = exchange;
  // HTTP/1.0 may come without a Host: there is nowhere to send it.
  if (host === '') return refuse('http-denied');
  const port = portForClients(exchange, ports);
  const suffix = port === 443 ? '' : `:${port}`;
  return redirect(status, `https://${host}${suffix}${forwardedPath(exchange)}${query}`);
}

/** The port that the client can reach by https: what is stated first, then what its Host shows. */
export function portForClients({ client, request }: Exchange, { published, entrypoint = 443 }: SecurePorts): number {
  if (published !== undefined) return published;
  const sent = /:(\d+)$/.exec(request.get('host') ?? '')?.[1];
  const { forwardedPort } = client;
  // A hop that names the port of the Host names the one that does not end TLS.
  if (forwardedPort !== undefined && forwardedPort !== Number(sent)) return forwardedPort === 80 ? 443 : forwardedPort;
  return sent === undefined ? 443 : entrypoint;
}
