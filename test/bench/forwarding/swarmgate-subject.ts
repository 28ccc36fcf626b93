import type { MiddlewareUse } from '@swarmgate/labels';
import type { ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { Registry as Metrics } from 'prom-client';
import { LiveTail } from '../../../packages/proxy/src/control/live/live-tail.ts';
import { prepareInProcessServer } from '../../../packages/proxy/src/control/serving/in-process-server.ts';
import { prepareClusterServer } from '../../../packages/proxy/src/control/workers/cluster-server.ts';
import { DurationCell } from '../../../packages/proxy/src/exchange/duration-metric.ts';
import { ExchangeRecorder } from '../../../packages/proxy/src/exchange/numbers/exchange-recorder.ts';
import type { ServedService } from '../../../packages/proxy/src/model/served-service.ts';
import { benchHost, hostOf, services } from './cases.ts';

// The process that is measured: the proxy's own server, metrics on, with a table of 10,000 services; in one process
// unless `WORKERS` is set. Arguments: port, `ssl` or `plain`, backend's port. Settings come from the environment.
const [port, transport, backendPort] = process.argv.slice(2);
// What the numbers of services, the durations by service and live requests cost is the difference to a proxy without them.
if (process.env.BENCH_UNCOUNTED === 'true') {
  ExchangeRecorder.prototype.observe = () => undefined;
  DurationCell.prototype.observe = () => undefined;
  LiveTail.prototype.offer = () => undefined;
}
const server = await (process.env.WORKERS === undefined ? prepareInProcessServer : prepareClusterServer)({
  settings: readSettings('proxy', { env: process.env }),
  logger: silentLogger,
  metrics: new Metrics(),
  env: process.env,
  entrypoints: [{ port: Number(port), secure: transport === 'ssl' }],
  host: '127.0.0.1',
});

// A plug-in costs the routes that name it. Those of one table share a process, and a thread that watches it.
const plugin = process.env.BENCH_PLUGIN;
const hasPlugin = (host: string) => plugin !== undefined && (plugin === 'of all services' || host !== benchHost);

/** Where the backend speaks HTTP/2, if it is to be reached by that. */
const http2Port = process.env.BENCH_H2C_PORT;
const middlewares: readonly MiddlewareUse[] = [
  { kind: 'rateLimit', average: 1_000_000_000, burst: 1_000_000_000 },
  { kind: 'headers', request: { 'X-Tenant': 'bench' }, response: { 'X-Served-By': 'bench' }, frameDeny: true },
  { kind: 'stripPrefix', prefixes: ['/v1'] },
];
const changes = new Map<ServiceKey, ServedService>();
for (let at = 0; at < services; at++) {
  const service = `service-${at}`;
  const definition: ServiceDefinition = {
    version: 1,
    service,
    owner: 'manual',
    source: { kind: 'rest', by: 'bench' },
    updatedAt: '2026-01-01T00:00:00.000Z',
    destinations: [
      {
        index: 0,
        since: 0,
        servicePath: ['/'],
        serviceDomain: [hostOf(at)],
        port: Number(http2Port ?? backendPort),
        outboundHostname: '127.0.0.1',
        ...(hasPlugin(hostOf(at)) ? { plugins: [{ name: 'passes' }] } : {}),
        ...(http2Port === undefined ? {} : { protocol: 'h2c' as const }),
        ...(process.env.BENCH_MIDDLEWARES === 'true' ? { middlewares } : {}),
      },
    ],
  };
  const key: ServiceKey = `manual/${service}`;
  changes.set(key, { key, definition, endpoints: undefined, origin: 'registry', addressesFresh: true });
}
await server.apply({ revision: '1', sequence: 1, registryId: 'bench', changes, rejected: new Map() });
await server.open();

process.once('SIGTERM', () => {
  void server.stop().then(() => process.exit(0));
});
