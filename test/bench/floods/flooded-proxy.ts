import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Destination, ServiceDefinition } from '@swarmgate/registry';
import type { Server } from '../../../packages/proxy/src/control/serving/server.ts';
import { readCertificate } from '../../../packages/proxy/src/server/tls/certificate.ts';
import { freePorts } from '../../../packages/proxy/test/free-ports.ts';
import { startProxyUnderTest } from '../../../packages/proxy/test/running-proxy.ts';
import { testCertificate } from '../../../packages/proxy/test/test-certificate.ts';
import { until } from '../../../packages/proxy/test/until.ts';
import type { EndpointPorts } from './flood-endpoint.ts';

/** Ports of the proxy; `probeRelay` leads to the endpoint of the client that is measured, the others to that of the flood. */
export interface FloodPorts {
  readonly plain: number;
  readonly secure: number;
  readonly relay: number;
  readonly probeRelay: number;
  readonly named: number;
  readonly admin: number;
  /** Default: the process that reports. */
  readonly pid?: number;
}

/** Of the time since the last one. Times in milliseconds, memory in bytes after a full collection. */
export interface ProxyReport {
  readonly cpuMs: number;
  readonly turns: { readonly p99: number; readonly max: number };
  readonly longestCollectionMs: number;
  readonly liveBytes: number;
}

// The process that is flooded: a whole proxy without workers, so that its admin port shares the event loop with the requests.
// Arguments: the ports of the flood's endpoint and those of the measured client's. 'report' and 'collect' come over its channel,
// with which it ends.
const [ofFlood, ofProbe] = process.argv.slice(2).map((text) => JSON.parse(text) as EndpointPorts);
if (ofFlood === undefined || ofProbe === undefined) throw new Error('two endpoints are needed');
const services = 2_000;

const [relay = 0, probeRelay = 0, named = 0] = await freePorts(3);
let server: Server | undefined;
const under = await startProxyUnderTest({
  entrypoints: [
    { port: 0, secure: false },
    { port: 0, secure: true },
  ],
  onServer: (opened) => {
    server = opened;
  },
});
const { pem } = await testCertificate(['flood.example', 'probe.example']);
const certificate = readCertificate('own', pem, undefined);
if (!certificate.ok) throw new Error(certificate.reason);
server?.certificates?.().replace('file', [certificate.certificate]);

const definition = (service: string, destination: Partial<Destination>): ServiceDefinition => ({
  version: 1,
  service,
  owner: 'manual',
  source: { kind: 'rest', by: 'bench' },
  updatedAt: '2026-01-01T00:00:00.000Z',
  destinations: [{ index: 0, since: 0, outboundHostname: '127.0.0.1', port: 80, ...destination }],
});
const definitions = [
  definition('flood', { servicePath: ['/'], serviceDomain: ['flood.example', 'shop.example'], port: ofFlood.http }),
  definition('probe', { servicePath: ['/'], serviceDomain: ['probe.example'], port: ofProbe.http }),
  definition('relay', { reqMode: 'tcp', srcPort: relay, port: ofFlood.raw }),
  definition('probe-relay', { reqMode: 'tcp', srcPort: probeRelay, port: ofProbe.raw }),
  definition('named', { reqMode: 'sni', srcPort: named, port: ofFlood.raw, serviceDomain: ['relayed.example'] }),
  ...Array.from({ length: services }, (_, at) => definition(`other-${at}`, { servicePath: [`/other-${at}/`] })),
];
await under.registry.publish(
  definitions.map((document) => ({ owner: 'manual', service: document.service, definition: { document } })),
  { by: 'bench', signal: AbortSignal.timeout(60_000) },
);
await until(() => server?.entrypoints().filter(({ state }) => state === 'open').length === 5, 'all ports to be open');
const views = server?.entrypoints() ?? [];
const portOf = (isSecure: boolean) =>
  views.find(({ port, secure }) => secure === isSecure && ![relay, probeRelay, named].includes(port))?.port ?? 0;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const turns = monitorEventLoopDelay({ samplePerIteration: true });
turns.enable();
let longestCollectionMs = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longestCollectionMs = Math.max(longestCollectionMs, duration);
}).observe({ entryTypes: ['gc'] });
let cpu = process.cpuUsage();

process.on('message', (order) => {
  const { user, system } = process.cpuUsage(cpu);
  const ofTurns = { p99: turns.percentile(99) / 1e6, max: turns.max / 1e6 };
  const most = longestCollectionMs;
  if (order === 'collect') collect();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({
    cpuMs: (user + system) / 1_000,
    turns: ofTurns,
    longestCollectionMs: most,
    liveBytes: heapUsed + external,
  } satisfies ProxyReport);
  setImmediate(() => {
    turns.reset();
    longestCollectionMs = 0;
    cpu = process.cpuUsage();
  });
});
process.once('disconnect', () => void under.stop().then(() => process.exit(0)));
process.send?.({
  plain: portOf(false),
  secure: portOf(true),
  relay,
  probeRelay,
  named,
  admin: under.proxy.admin.port,
} satisfies FloodPorts);
