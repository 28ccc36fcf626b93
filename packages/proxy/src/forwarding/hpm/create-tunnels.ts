import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { Tunnels } from '../forwarder.ts';
import { UpgradeAttempt } from './upgrade-attempt.ts';

/**
 * Upgrades by http-proxy-middleware: one instance for all routes. It chooses nothing by itself; each upgrade brings its own
 * attempt, which also hears what became of it.
 */
export function createTunnels(): Tunnels {
  const attempts = new WeakMap<IncomingMessage, UpgradeAttempt>();

  const middleware = createProxyMiddleware<IncomingMessage, ServerResponse>({
    // The default plugins log every request and answer errors themselves.
    ejectPlugins: true,
    plugins: [
      (proxy) => {
        proxy.on('proxyReqWs', (upstream, request) => attempts.get(request)?.onUpstreamRequest(upstream));
        const onError = (error: Error, request?: IncomingMessage) => {
          if (request !== undefined) attempts.get(request)?.onError(error);
        };
        proxy.on('error', onError);
        proxy.on('econnreset', onError);
      },
    ],
    router: (request, _response, options) => {
      const running = attempts.get(request);
      if (running === undefined) throw new Error('an upgrade without an attempt reached the middleware');
      const { host, port } = running.attempt.endpoint;
      options.agent = running.agent;
      // The connection is open, and secured where the endpoint is: what goes over it is plain HTTP.
      return { protocol: 'http:', host, port };
    },
  });

  return {
    tunnel(request, client, firstBytes, upstream, attempt) {
      const running = new UpgradeAttempt(client, upstream, attempt);
      attempts.set(request, running);
      request.url = attempt.target === '*' ? '/' : attempt.target;
      // httpxy forwards what it finds on the request; the attempt's own headers are set when the request exists.
      request.headers = { connection: 'upgrade', upgrade: 'websocket' };
      middleware.upgrade(request, client as Socket, firstBytes);
      return running.result;
    },
  };
}
