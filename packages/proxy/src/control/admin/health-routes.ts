import { Router } from 'express';
import { contentTypes, metricsText } from '../serving/metrics-text.ts';
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

  router.get('/metrics', async (request, response) => {
    // By what the scraper names; one that takes anything gets Prometheus' own format.
    const format = request.get('accept')?.includes('application/openmetrics-text') ? 'openmetrics' : 'text';
    const own = await parts.metrics.getMetricsAsJSON();
    const ofWorkers = (await parts.server.workerMetrics?.()) ?? [];
    response.setHeader('Content-Type', contentTypes[format]);
    response.send(metricsText([...own, ...ofWorkers], format));
  });

  return router;
}
