import type { IncomingMessage } from 'node:http';
import { SwarmgateError } from '@swarmgate/runtime';
import { linesOf, restoreFraming } from '../../http/head-text.ts';
import type { ConnectionPool } from '../../transport/connection-pool.ts';
import type { Attempt, Forwarder, Tunnels } from '../forwarder.ts';
import { CoreAttempt } from './core-attempt.ts';

/**
 * The forwarding core as a node:http handler: what the Express lane mounts, so that both lanes share the connections to
 * endpoints, their parser and their rules. Upgrades go to `tunnels` (http-proxy-middleware).
 */
export function createCoreForwarder(pool: ConnectionPool, tunnels: Tunnels): Forwarder {
  return {
    forward: async (request, response, attempt) => {
      const head = headOf(request, attempt);
      return new CoreAttempt(pool, request, response, attempt, head).run();
    },
    tunnel: (request, client, firstBytes, upstream, attempt) =>
      tunnels.tunnel(request, client, firstBytes, upstream, attempt),
    stop: () => pool.stop(),
  };
}

/** @throws SwarmgateError `head-unsendable` where a step of the route has put a line break or the like into it. */
function headOf(request: IncomingMessage, attempt: Attempt): string {
  restoreFraming(attempt.headers, Number(request.headers['content-length'] ?? -1));
  const lines = linesOf(attempt.headers);
  if (lines === undefined || !/^[\x21-\x7e]+$/.test(attempt.target)) {
    throw new SwarmgateError(
      'head-unsendable',
      `the head of ${attempt.target} for ${attempt.endpoint.id} breaks lines`,
    );
  }
  const chunked = request.headers['transfer-encoding'] === undefined ? '' : 'Transfer-Encoding: chunked\r\n';
  return `${request.method ?? 'GET'} ${attempt.target} HTTP/1.1\r\n${lines}${chunked}\r\n`;
}
