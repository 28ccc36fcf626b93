import type { Logger, Settings } from '@swarmgate/runtime';
import type { TrustedProxies } from '../../exchange/client-connection.ts';
import type { ExchangeContext } from '../../exchange/exchange-context.ts';
import { makeViaName } from '../../exchange/header-policy.ts';
import { requestIds } from '../../exchange/request-id.ts';
import { defaultHeadLimits } from '../../http/request-head.ts';
import { createHttpServer, type HttpServer } from '../../server/create-http-server.ts';
import type { DescriptorBudget } from '../../server/descriptor-budget.ts';
import { ProxiedConnections } from '../../server/proxy-protocol/proxied-connections.ts';
import { defaultPoolLimits } from '../../transport/connection-pool.ts';
import type { ServingMetrics } from './server-metrics.ts';

/** The HTTP server, as the settings have it. */
export async function httpServer(
  settings: Settings,
  context: ExchangeContext,
  trusted: TrustedProxies,
  logger: Logger,
  measured: Pick<ServingMetrics, 'opened'>,
  budget: DescriptorBudget,
): Promise<HttpServer> {
  const http2 = settings.http2 === false ? undefined : { mostStreams: settings.http2MaxConcurrentStreams };
  return createHttpServer({
    context,
    timeouts: {
      connectMs: settings.timeoutConnectMs,
      serverMs: settings.timeoutServerMs,
      clientMs: settings.timeoutClientMs,
      tunnelMs: settings.timeoutTunnelMs,
      headMs: settings.timeoutHttpRequestMs,
      keepAliveMs: settings.timeoutHttpKeepAliveMs,
      bodyBytesPerSecond: settings.bodyBytesPerSecond,
    },
    trusted,
    publishedPorts: settings.publishedPorts,
    viaName: settings.viaHeader ? makeViaName() : undefined,
    newRequestId: requestIds(),
    writesForwarded: settings.writesForwarded,
    mostBodyBytes: settings.mostBodyBytes,
    headLimits: { ...defaultHeadLimits, headBytes: settings.mostHeadBytes },
    encodedSlash: settings.encodedSlash,
    recordsAgents: settings.accessLog === 'combined' || settings.accessLog === 'json',
    poolLimits: {
      queueMs: settings.timeoutQueueMs,
      inAll: Math.min(defaultPoolLimits.inAll, budget.endpoints),
    },
    ...(http2 === undefined ? {} : { http2: settings.http2 === 'node' ? { ...http2, ...(await reference()) } : http2 }),
    logger,
    onOpened: measured.opened,
  });
}

/** By node:http2, which takes memory of each process that loads it. */
async function reference() {
  const { createReferenceHttp2Server } = await import('../../server/http2/reference/reference-server.ts');
  return { makeServer: createReferenceHttp2Server };
}

/** Ports whose connections begin with a PROXY header, as the settings have them. */
export function proxiedConnections(
  settings: Settings,
  trusted: TrustedProxies,
  logger: Logger,
  measured: Pick<ServingMetrics, 'refused'>,
): ProxiedConnections {
  const ports = new Set(settings.proxyProtocolPorts);
  if (ports.size > 0 && settings.trustedProxies.length === 0)
    logger.warn(
      'PROXY_PROTOCOL_PORTS refuse every connection until TRUSTED_PROXIES lists the proxies that may send headers',
    );
  return new ProxiedConnections({
    isOn: (port) => ports.has(port),
    trusted,
    waitMs: settings.timeoutHttpRequestMs,
    logger,
    onRefused: measured.refused,
  });
}
