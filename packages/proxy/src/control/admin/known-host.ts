import { isOwnName } from '@swarmgate/runtime';
import type { RequestHandler } from 'express';
import type { AdminParts } from './admin-parts.ts';

/** Health checks come from everywhere, and the responses hold no data. */
const open: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/**
 * What the REST shows is no secret, but web pages must not read it: one may point a name of its own at this machine
 * (DNS rebinding) and read by its visitor's browser what listens on loopback. So where no token is set, calls from
 * loopback must name this machine. Changes are checked for more than that: `requireAuthorization`.
 */
export function requireKnownHost({ settings }: Pick<AdminParts, 'settings'>): RequestHandler {
  return (request, response, next) => {
    const { host } = request.headers;
    if (
      settings.adminToken !== undefined ||
      open.has(request.path) ||
      isOwnName({ remoteAddress: request.socket.remoteAddress, headers: request.headers })
    ) {
      next();
      return;
    }
    response.setHeader('X-Swarmgate-Reason', 'host-unknown');
    response.status(403).json({
      Status: 'NOK',
      Message: `a call from this machine must name it: Host is ${JSON.stringify(host ?? '')}, expected localhost, an address or its own name. Where a proxy on this machine passes calls on, set ADMIN_TOKEN`,
    });
  };
}
