import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { Attempt, AttemptResult, Forwarder, TunnelResult } from '../forwarder.ts';
import { RequestAttempt } from './request-attempt.ts';
import { UpgradeAttempt } from './upgrade-attempt.ts';

// Idle connections are closed long before IPVS forgets them (900 s), and before most servers close them.
const idleMs = 4_000;

// A request that cannot be replayed is not risked on a connection that the endpoint may be closing just now.
const safeToReuse = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * Forwards by http-proxy-middleware: one instance for all routes. It chooses nothing by itself; each request brings its
 * own attempt, which also hears what became of it.
 */
export function createForwarder(): Forwarder {
  const attempts = new WeakMap<IncomingMessage, RequestAttempt | UpgradeAttempt>();
  const settings = { keepAlive: true, timeout: idleMs, scheduling: 'lifo' } as const;
  const pools = { plain: new Agent(settings), secure: new TlsAgent({ ...settings, rejectUnauthorized: false }) };
  const requestAttempt = (request: IncomingMessage) => {
    const attempt = attempts.get(request);
    return attempt instanceof RequestAttempt ? attempt : undefined;
  };

  const middleware = createProxyMiddleware<IncomingMessage, ServerResponse>({
    // The default plugins log every request and answer errors themselves.
    ejectPlugins: true,
    selfHandleResponse: true,
    // Docker Flow's `sslVerifyNone` is the only way to a secure endpoint: the label's name says it.
    secure: false,
    plugins: [
      (proxy) => {
        proxy.on('proxyReq', (upstream, request) => requestAttempt(request)?.onUpstreamRequest(upstream));
        proxy.on('proxyRes', (response, request) => requestAttempt(request)?.onResponse(response));
        proxy.on('proxyReqWs', (upstream, request) => {
          const attempt = attempts.get(request);
          if (attempt instanceof UpgradeAttempt) attempt.onUpstreamRequest(upstream);
        });
        const onError = (error: Error, request?: IncomingMessage) => {
          if (request !== undefined) attempts.get(request)?.onError(error);
        };
        proxy.on('error', onError);
        proxy.on('econnreset', onError);
      },
    ],
    router: (request, _response, options) => {
      const running = attempts.get(request);
      if (running === undefined) throw new Error('a request without an attempt reached the forwarder');
      const { endpoint } = running.attempt;
      if (running instanceof RequestAttempt) {
        options.buffer = running.body;
        const pool = endpoint.secure ? pools.secure : pools.plain;
        options.agent = safeToReuse.has(request.method ?? 'GET') ? pool : false;
        return { protocol: endpoint.secure ? 'https:' : 'http:', host: endpoint.host, port: endpoint.port };
      }
      options.agent = running.agent;
      // The connection is open, and secured where the endpoint is: what goes over it is plain HTTP.
      return { protocol: 'http:', host: endpoint.host, port: endpoint.port };
    },
  });

  // httpxy forwards what it finds on the request; the attempt's own headers are set when the request exists.
  function prepare(request: IncomingMessage, attempt: Attempt, headers: IncomingMessage['headers']): void {
    request.url = attempt.target === '*' ? '/' : attempt.target;
    request.headers = headers;
  }

  return {
    async forward(request, response, attempt): Promise<AttemptResult> {
      const running = new RequestAttempt(request, response, attempt);
      attempts.set(request, running);
      prepare(request, attempt, {});
      const heard = middleware(request, response, (error) => {
        if (error instanceof Error) running.onError(error);
      }).catch((error: Error) => running.onError(error));
      const result = await running.result;
      // It resolves when the client's response closes, which a failed attempt does not wait for.
      void heard;
      return result;
    },
    tunnel(
      request: IncomingMessage,
      client: Duplex,
      firstBytes: Buffer,
      upstream: Duplex,
      attempt: Attempt,
    ): Promise<TunnelResult> {
      const running = new UpgradeAttempt(client, upstream, attempt);
      attempts.set(request, running);
      prepare(request, attempt, { connection: 'upgrade', upgrade: 'websocket' });
      middleware.upgrade(request, client as Socket, firstBytes);
      return running.result;
    },
    stop() {
      pools.plain.destroy();
      pools.secure.destroy();
    },
  };
}
