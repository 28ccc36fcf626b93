import type { IncomingMessage } from 'node:http';
import type { ConnectionInfo } from '../exchange/client-connection.ts';
import type { ExchangeContext } from '../exchange/exchange-context.ts';
import type { Exchange } from '../middleware/middleware.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Route } from '../model/route.ts';

export interface Report {
  route: Route | undefined;
  exchange: Exchange | undefined;
  endpoint: Endpoint | undefined;
  upstreamMs: number | undefined;
  retries: number;
  end(status: number, reason: string | undefined, bytes?: { readonly sent: number; readonly received: number }): void;
}

/** Collects what the access log and the metrics want to know of one exchange. */
export function beginReport(request: IncomingMessage, facts: ConnectionInfo, plane: ExchangeContext): Report {
  const startedMs = performance.now();
  const { socket } = request;
  const writtenBefore = socket.bytesWritten;
  const readBefore = socket.bytesRead;
  return {
    route: undefined,
    exchange: undefined,
    endpoint: undefined,
    upstreamMs: undefined,
    retries: 0,
    end(status, reason, bytes) {
      const { exchange } = this;
      plane.observe({
        route: exchange?.route ?? this.route,
        endpoint: this.endpoint,
        method: request.method ?? '',
        host: exchange?.host ?? request.headers.host ?? '',
        path: exchange?.path ?? request.url ?? '',
        status,
        reason,
        durationMs: performance.now() - startedMs,
        upstreamMs: this.upstreamMs,
        retries: this.retries,
        sentBytes: bytes?.sent ?? socket.bytesWritten - writtenBefore,
        receivedBytes: bytes?.received ?? socket.bytesRead - readBefore,
        clientAddress: exchange?.client.address ?? facts.peerAddress,
        lane: 'express',
      });
    },
  };
}
