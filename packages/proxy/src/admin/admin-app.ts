import { messageOf } from '@swarmgate/runtime';
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { AdminParts } from './admin-parts.ts';
import { certificateRoutes } from './certificate-routes.ts';
import { changeRoutes } from './change-routes.ts';
import { dockerFlowRoutes } from './docker-flow-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { openapiRoute } from './openapi-route.ts';
import { readRoutes } from './read-routes.ts';
import { workerRoutes } from './worker-routes.ts';

/** The proxy's REST: one router for each family of paths. `docs/openapi.yaml` describes all of it. */
export function createAdminApp(parts: AdminParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    // Answers are for people and programs that ask now; no browser may keep, frame or sniff them.
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('X-Frame-Options', 'DENY');
    next();
  });
  for (const router of adminRouters(parts)) app.use(router);
  app.use((request, response) => {
    response.status(404).json({ Status: 'NOK', Message: `nothing at ${request.path}; see /v1/openapi.yaml` });
  });
  app.use(answerFailure(parts));
  return app;
}

export function adminRouters(parts: AdminParts) {
  return [
    healthRoutes(parts),
    dockerFlowRoutes(parts),
    certificateRoutes(parts),
    readRoutes(parts),
    changeRoutes(parts),
    workerRoutes(parts),
    openapiRoute(),
  ];
}

function answerFailure({ logger }: Pick<AdminParts, 'logger'>): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const status = statusOf(error);
    if (status >= 500) logger.error({ path: request.path, error: messageOf(error) }, 'an admin call failed');
    const message = status >= 500 ? 'the call failed; the log says why' : messageOf(error);
    response.status(status).json({ Status: 'NOK', Message: message });
  };
}

/** Body parsers say what the client did wrong; everything else is ours. */
function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}
