import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Logger, Running } from '@swarmgate/runtime';
import express, { type Express } from 'express';
import type { Registry as MetricsRegistry } from 'prom-client';

/** What the listener's REST asks of the listener. */
export interface ListenerRestOptions {
  /** Docker Flow's flat parameters of every selected service, without secrets. */
  readonly services: () => readonly Readonly<Record<string, string>>[];
  readonly nodes: () => readonly Readonly<Record<string, string>>[];
  /** Sends everything to everyone again; returns at once. */
  readonly notifyServices: () => void;
  readonly status: () => object;
  readonly isReady: () => boolean;
  readonly metrics: MetricsRegistry;
}

const prefix = '/v1/docker-flow-swarm-listener';

/** Docker Flow Swarm Listener's paths and shapes, and what orchestrators ask for. Everything here only reads. */
export function createListenerRest(options: ListenerRestOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get(`${prefix}/ping`, (_request, response) => {
    response.json({ Status: 'OK' });
  });
  app.get(`${prefix}/notify-services`, (_request, response) => {
    options.notifyServices();
    response.json({ Status: 'OK' });
  });
  app.get(`${prefix}/get-services`, (_request, response) => {
    response.json(options.services());
  });
  app.get(`${prefix}/get-nodes`, (_request, response) => {
    response.json(options.nodes());
  });
  app.get('/v1/status', (_request, response) => {
    response.json(options.status());
  });
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'healthy' });
  });
  app.get('/readyz', (_request, response) => {
    const isReady = options.isReady();
    response.status(isReady ? 200 : 503).json({ status: isReady ? 'ready' : 'not ready', ...options.status() });
  });
  app.get('/metrics', async (_request, response) => {
    response.type(options.metrics.contentType).send(await options.metrics.metrics());
  });
  app.use((request, response) => {
    response.status(404).json({ Status: 'NOK', Message: `there is nothing at ${request.path}` });
  });
  return app;
}

export interface ListeningRest extends Running {
  readonly port: number;
}

/** @throws what listening throws (`EADDRINUSE`, …) */
export async function serveRest(
  app: Express,
  at: { readonly host: string; readonly port: number },
  logger: Logger,
): Promise<ListeningRest> {
  const server = createServer(app);
  server.listen(at.port, at.host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : at.port;
  logger.info({ host: at.host, port }, "the listener's REST is open");
  return {
    port,
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      // Every answer here is short; whoever holds a connection open does not hold the stop.
      const timer = setTimeout(() => server.closeAllConnections(), 2_000);
      await closed;
      clearTimeout(timer);
    },
  };
}
