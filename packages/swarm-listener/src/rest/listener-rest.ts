import { once } from 'node:events';
import {
  type Authorization,
  authorizeChange,
  authorizeRead,
  type Caller,
  type Logger,
  messageOf,
  type ReadPolicy,
  type Running,
  UsageError,
} from '@swarmgate/runtime';
import { nodeHttp } from '@swarmgate/runtime/node-http';
import {
  boundConnections,
  boundPipelining,
  callPatience,
  endInTime,
  endUnreadBodies,
  readJson,
} from '@swarmgate/runtime/rest';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Registry as MetricsRegistry } from 'prom-client';
import { z } from 'zod';

/** The operations of the listener that its REST calls. */
export interface ListenerRestOptions {
  /** Docker Flow's flat parameters of every selected service, without secrets. */
  readonly services: () => readonly Readonly<Record<string, string>>[];
  readonly nodes: () => readonly Readonly<Record<string, string>>[];
  /** Sends all notifications again; returns at once. */
  readonly notifyServices: () => void;
  readonly status: () => object;
  readonly isReady: () => boolean;
  readonly metrics: MetricsRegistry;
  /** Lets this Swarm take over what another one registered. Returns the outcome as a sentence. */
  readonly adopt: () => string;
  readonly taskTerminating: (serviceId: string, taskId: string) => void;
  /** Who may read and change. */
  readonly access: ReadPolicy;
}

/** Of Docker: letters and digits. */
const id = z.string().regex(/^[\w-]{1,64}$/);
const terminatingTask = z.object({ serviceId: id, taskId: id });

/** Of an agent's report. */
const mostReportBytes = 4 * 1024;
/** Agents, proxies and people: some for each node. */
const mostConnections = 1_000;

const prefix = '/v1/docker-flow-swarm-listener';

/** Docker Flow Swarm Listener's paths and shapes, health, status and metrics, and the two calls that change something. */
export function createListenerRest(options: ListenerRestOptions): Express {
  const app = bareApp();
  respondHealth(app, options.isReady, options.status);
  // Everything that follows: a path that is added is closed until it is opened.
  app.use(requireReading(options.access));
  app.get(`${prefix}/ping`, (_request, response) => {
    response.json({ Status: 'OK' });
  });
  const authorized = requireAuthorization(options.access.adminToken);
  app.get(`${prefix}/notify-services`, (_request, response) => {
    options.notifyServices();
    response.json({ Status: 'OK' });
  });
  app.get(`${prefix}/get-services`, authorized, (_request, response) => {
    response.json(options.services());
  });
  app.get(`${prefix}/get-nodes`, authorized, (_request, response) => {
    response.json(options.nodes());
  });
  app.get('/v1/status', (_request, response) => {
    response.json(options.status());
  });
  app.get('/metrics', async (_request, response) => {
    response.type(options.metrics.contentType).send(await options.metrics.metrics());
  });
  app.post('/v1/adopt', authorized, (_request, response) => {
    response.json({ Status: 'OK', Message: options.adopt() });
  });
  // The second path is the one that agents of version 0.1 call.
  const reportPaths = ['/v1/task-terminating', '/v1/task-going'];
  app.post(reportPaths, authorized, readJson(mostReportBytes), (request, response) => {
    const task = terminatingTask.safeParse(request.body);
    if (!task.success) {
      response.status(400).json({ Status: 'NOK', Message: 'expected {"serviceId": "…", "taskId": "…"} in JSON' });
      return;
    }
    options.taskTerminating(task.data.serviceId, task.data.taskId);
    response.json({ Status: 'OK' });
  });
  endWithNotFound(app);
  return app;
}

export interface AgentRestOptions {
  readonly isReady: () => boolean;
  readonly counts: () => object;
}

/** The agent role's REST: health, and the number of its reports. */
export function createAgentRest({ isReady, counts }: AgentRestOptions): Express {
  const app = bareApp();
  respondHealth(app, isReady, counts);
  endWithNotFound(app);
  return app;
}

function bareApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(endInTime(), endUnreadBodies());
  return app;
}

function respondHealth(app: Express, isReady: () => boolean, details: () => object): void {
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'healthy' });
  });
  app.get('/readyz', (_request, response) => {
    const ready = isReady();
    response.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not ready', ...details() });
  });
}

type Middleware = (request: Request, response: Response, next: NextFunction) => void;

/** Before changes, and before what shows services and nodes. */
function requireAuthorization(token: string | undefined): Middleware {
  return enforce((request) => authorizeChange(token, callOf(request)));
}

function requireReading(access: ReadPolicy): Middleware {
  return enforce((request) =>
    authorizeRead(access, request.path === '/metrics' ? 'metrics' : 'other', callOf(request)),
  );
}

function callOf(request: Request): Caller {
  return { remoteAddress: request.socket.remoteAddress, headers: request.headers };
}

function enforce(decide: (request: Request) => Authorization): Middleware {
  return (request, response, next) => {
    const decision = decide(request);
    if (decision.kind === 'allowed') {
      next();
      return;
    }
    if (decision.kind === 'token-needed') response.setHeader('WWW-Authenticate', 'Bearer realm="swarmgate"');
    response.status(decision.kind === 'token-needed' ? 401 : 403).json({ Status: 'NOK', Message: decision.message });
  };
}

function endWithNotFound(app: Express): void {
  app.use((request, response) => {
    response.status(404).json({ Status: 'NOK', Message: `no such path: ${request.path}` });
  });
  // A body that cannot be parsed is the caller's error, and no response may show a stack.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
    response.status(status).json({ Status: 'NOK', Message: status < 500 ? 'the request cannot be read' : 'failed' });
  });
}

export interface ListeningRest extends Running {
  readonly port: number;
}

/** @throws UsageError `listener-port-unusable` where the port cannot be opened. */
export async function serveRest(
  app: Express,
  at: { readonly host: string; readonly port: number },
  logger: Logger,
): Promise<ListeningRest> {
  const server = nodeHttp.createServer(callPatience, boundPipelining(app));
  boundConnections(server, mostConnections);
  server.listen(at.port, at.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new UsageError(
      'listener-port-unusable',
      `LISTENER_PORT ${at.port} on ${at.host} cannot be opened (${messageOf(error)}): choose another LISTENER_PORT`,
      { cause: error },
    );
  }
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : at.port;
  logger.info({ host: at.host, port }, 'listening for REST calls');
  return {
    port,
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      // Every response is short, so a connection that is still open after this time is idle.
      const timer = setTimeout(() => server.closeAllConnections(), 2_000);
      await closed;
      clearTimeout(timer);
    },
  };
}
