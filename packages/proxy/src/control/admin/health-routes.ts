import { Router } from 'express';
import { contentTypes, metricsPieces } from '../serving/metrics-text.ts';
import type { AdminParts } from './admin-parts.ts';
import { shared } from './shared-response.ts';

/** `/healthz`: the process responds. `/readyz`: has its first table and is not draining. `/metrics`: Prometheus. */
export function healthRoutes(parts: AdminParts): Router {
  const router = Router();

  router.get('/healthz', (_request, response) => {
    response.json({ status: 'healthy' });
  });

  router.get('/readyz', (_request, response) => {
    if (parts.ready()) response.json({ status: 'ready' });
    else response.status(503).json({ status: parts.draining() ? 'draining' : 'waiting for the first table' });
  });

  const collected = shared(async () => {
    const own = await parts.metrics.getMetricsAsJSON();
    return [...own, ...((await parts.server.workerMetrics?.()) ?? [])];
  });
  router.get('/metrics', (request, response) =>
    parts.long.respond(response, async (signal) => {
      // By what the scraper names; one that takes anything gets Prometheus' own format.
      const format = request.get('accept')?.includes('application/openmetrics-text') ? 'openmetrics' : 'text';
      const metrics = await collected();
      response.setHeader('Content-Type', contentTypes[format]);
      await parts.long.sendPieces(response, metricsPieces(metrics, format), signal);
    }),
  );

  return router;
}
