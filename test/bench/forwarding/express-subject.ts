import { Agent } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { hostOf, services } from './cases.ts';

// What one would write without Swarmgate: Express, http-proxy-middleware, a table of hosts. Arguments: port, backend's.
const [port, backendPort] = process.argv.slice(2);
const target = `http://127.0.0.1:${backendPort}`;
const targets = new Map(Array.from({ length: services }, (_, at) => [hostOf(at), target]));
const app = express();
app.disable('x-powered-by');
app.use(
  createProxyMiddleware({
    target,
    router: (request) => targets.get(request.headers.host?.toLowerCase() ?? '') ?? target,
    agent: new Agent({ keepAlive: true }),
    xfwd: true,
  }),
);
app.listen(Number(port), '127.0.0.1');
