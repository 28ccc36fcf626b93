import { Router } from 'express';
import type { AdminParts } from './admin-parts.ts';

/** `/healthz`: the process answers. `/readyz`: has its first table and is not draining. `/metrics`: Prometheus. */
export function healthRoutes(parts: AdminParts): Router {
  const router = Router();

  router.get('/healthz', (_request, response) => {
    response.json({ status: 'healthy' });
  });

  router.get('/readyz', (_request, response) => {
    if (parts.ready()) response.json({ status: 'ready' });
    else response.status(503).json({ status: parts.draining() ? 'draining' : 'waiting for the first table' });
  });

  router.get('/metrics', async (_request, response) => {
    response.setHeader('Content-Type', parts.metrics.contentType);
    const { metrics, plane } = parts;
    response.send(plane.metricsWith === undefined ? await metrics.metrics() : await plane.metricsWith(metrics));
  });

  return router;
}
