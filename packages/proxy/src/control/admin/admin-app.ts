import { messageOf, SwarmgateError } from '@swarmgate/runtime';
import { endInTime, endUnreadBodies, longestCallMs } from '@swarmgate/runtime/rest';
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express';
import { createSessions, type Sessions } from '../session/sessions.ts';
import type { AdminParts } from './admin-parts.ts';
import { readSession } from './admin-session.ts';
import { certificateRoutes } from './certificate-routes.ts';
import { isTimeout } from './change-outcome.ts';
import { changeRoutes } from './change-routes.ts';
import { consoleRoutes } from './console-routes.ts';
import { dockerFlowRoutes } from './docker-flow-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { requireReading } from './http.ts';
import { requireKnownHost } from './known-host.ts';
import { liveRoutes } from './live-routes.ts';
import { maintenanceRoutes } from './maintenance-routes.ts';
import { openapiRoute } from './openapi-route.ts';
import { orderingRoutes } from './ordering-routes.ts';
import { notePlainTokens } from './plain-tokens.ts';
import { readRoutes } from './read-routes.ts';
import { serviceRoutes } from './service-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import { workerRoutes } from './worker-routes.ts';

/**
 * The proxy's REST: one router for each family of paths. `docs/openapi.yaml` describes all of it.
 * @param callMs a call is at its end then, whatever its client reads, in milliseconds; streams of events go on
 */
export function createAdminApp(parts: AdminParts, callMs = longestCallMs): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    // Responses are current at the time of the call; no browser may keep, frame or sniff them.
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('X-Frame-Options', 'DENY');
    next();
  });
  app.use(endInTime(Math.max(callMs, parts.settings.barrierTimeoutMs * 2)));
  app.use(endUnreadBodies());
  app.use(requireKnownHost(parts));
  const { settings, registry, logger } = parts;
  const sessions = createSessions(settings, () => registry, logger);
  app.use(readSession(sessions));
  app.use(notePlainTokens(parts.transport.plainTokens, settings));
  const open = openRouters(parts, sessions);
  for (const router of open) app.use(router);
  app.use(requireReading(parts));
  const guarded = adminRouters(parts);
  for (const router of guarded) app.use(router);
  const routers = [...open, ...guarded];
  app.use(respondUnknown(methodsByPath(routers)));
  app.use(respondFailure(parts));
  return app;
}

/** What a browser gets before its login: the console's own files, and the login. */
export function openRouters(parts: AdminParts, sessions?: Sessions): readonly Router[] {
  return [consoleRoutes(), sessionRoutes(parts, sessions)];
}

export function adminRouters(parts: AdminParts): readonly Router[] {
  return [
    healthRoutes(parts),
    dockerFlowRoutes(parts),
    certificateRoutes(parts),
    orderingRoutes(parts),
    readRoutes(parts),
    serviceRoutes(parts),
    liveRoutes(parts),
    eventRoutes(parts),
    changeRoutes(parts),
    maintenanceRoutes(parts),
    workerRoutes(parts),
    openapiRoute(),
  ];
}

/** Which methods each path has: of all paths that are mounted, which are plain texts. */
export function methodsByPath(routers: readonly Router[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { route } of routers.flatMap(({ stack }) => stack)) {
    if (route === undefined) continue;
    const paths: readonly string[] = Array.isArray(route.path) ? route.path : [route.path];
    for (const path of paths) {
      const methods = found.get(path) ?? new Set<string>();
      for (const { method } of route.stack) methods.add((method ?? 'get').toUpperCase());
      found.set(path, methods);
    }
  }
  return found;
}

/** 405 where another method would have been served, else 404. */
function respondUnknown(known: ReturnType<typeof methodsByPath>): RequestHandler {
  return (request, response) => {
    const methods = known.get(request.path.toLowerCase().replace(/\/$/, ''));
    if (methods === undefined) {
      response.status(404).json({ Status: 'NOK', Message: `nothing at ${request.path}; see /v1/openapi.yaml` });
      return;
    }
    const allowed = [...methods, ...(methods.has('GET') ? ['HEAD'] : [])].sort().join(', ');
    response.setHeader('Allow', allowed);
    response.status(405).json({ Status: 'NOK', Message: `${request.path} takes ${allowed}, not ${request.method}` });
  };
}

function respondFailure({ logger }: Pick<AdminParts, 'logger'>): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    if (isTimeout(error)) {
      logger.warn({ path: request.path, reason: 'registry-silent' }, 'an admin call got no response in time');
      response.status(503).json({ Status: 'NOK', Message: 'the registry did not respond in time' });
      return;
    }
    const status = statusOf(error);
    if (status >= 500) logger.error({ path: request.path, err: error }, 'an admin call failed');
    const message = status >= 500 ? 'the call failed; the log has the cause' : explanationOf(error);
    response.status(status).json({ Status: 'NOK', Message: message });
  };
}

/** Errors of bodies and parameters are the client's; everything else is a fault of this process. */
function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

function explanationOf(error: unknown): string {
  return error instanceof SwarmgateError ? messageOf(error) : `the call cannot be read: ${messageOf(error)}`;
}
