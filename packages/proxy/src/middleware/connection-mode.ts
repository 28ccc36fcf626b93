import { proceed } from './local-responses.ts';
import type { Middleware } from './middleware.ts';

export type ConnectionMode = 'http-keep-alive' | 'http-server-close' | 'httpclose';

/**
 * `connectionMode`: whether connections live on after an answer. `http-server-close` asks the service to close its one,
 * `httpclose` the client too, by `Connection: close` (RFC 9112, section 9.6). An upgrade is left alone: its Connection
 * says something else. `undefined` for `http-keep-alive`, which is what lanes do by themselves.
 */
export function connectionMode(mode: ConnectionMode): Middleware | undefined {
  if (mode === 'http-keep-alive') return undefined;
  const towardsService: Middleware = {
    name: 'connectionMode',
    needs: 'any',
    onRequest({ request }) {
      // The header policy has taken off whatever Connection the client sent; this one is ours.
      if (!request.has('sec-websocket-key')) request.set('Connection', 'close');
      return proceed;
    },
  };
  if (mode === 'http-server-close') return towardsService;
  return {
    ...towardsService,
    // The lane that ends a client's connection because a header says so.
    needs: 'express',
    onResponse(_exchange, { status, headers }) {
      if (status !== 101) headers.set('Connection', 'close');
    },
  };
}
