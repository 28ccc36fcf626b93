import { proceed } from './local-responses.ts';
import type { Middleware } from './middleware.ts';

export type ConnectionMode = 'http-keep-alive' | 'http-server-close' | 'httpclose';

/**
 * `connectionMode`: whether connections stay open after a response. `http-server-close` requests that the service closes its one,
 * `httpclose` closes the client's too (RFC 9112, section 9.6). An upgrade is left alone: its Connection field names the
 * protocol. `undefined` for `http-keep-alive`, the default.
 */
export function connectionMode(mode: ConnectionMode): Middleware | undefined {
  if (mode === 'http-keep-alive') return undefined;
  return {
    name: 'connectionMode',
    onRequest(exchange) {
      if (exchange.upgrade !== undefined) return proceed;
      // The header policy has removed the client's own Connection field.
      exchange.request.set('Connection', 'close');
      if (mode === 'httpclose') exchange.closesConnection = true;
      return proceed;
    },
  };
}
