import { messageOf } from '@swarmgate/runtime';
import { Router } from 'express';
import type { AdminParts } from './admin-parts.ts';
import { callerOf, requireAuthorization } from './http.ts';
import type { ChangeResponse } from './response-bodies.ts';

/** `POST /v1/restart-workers`: replaces the workers of this replica one by one. */
export function workerRoutes(parts: AdminParts): Router {
  const router = Router();
  const { server, logger } = parts;

  router.post('/v1/restart-workers', requireAuthorization(parts), async (request, response) => {
    const say = (status: number, reply: ChangeResponse) => void response.status(status).json(reply);
    if (server.restartWorkers === undefined) {
      say(400, { Status: 'NOK', Message: 'this proxy has no workers to restart: WORKERS is 0' });
      return;
    }
    logger.info({ by: callerOf(request) }, 'workers are replaced');
    try {
      const replaced = await server.restartWorkers();
      say(200, { Status: 'OK', Message: `${replaced} ${replaced === 1 ? 'worker was' : 'workers were'} replaced` });
    } catch (error) {
      say(503, { Status: 'NOK', Message: `${messageOf(error)}; the workers that are left serve on` });
    }
  });

  return router;
}
