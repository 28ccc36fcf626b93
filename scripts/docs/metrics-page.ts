import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry, openEmbeddedStore } from '@swarmgate/registry';
import { readSettings, silentLogger } from '@swarmgate/runtime';
import { Registry as Metrics } from 'prom-client';
import { prepareInProcessServer } from '../../packages/proxy/src/control/serving/in-process-server.ts';
import { fleetMetrics } from '../../packages/proxy/src/control/workers/fleet-metrics.ts';
import { startProxy } from '../../packages/proxy/src/proxy.ts';
import { createListenerMetrics } from '../../packages/swarm-listener/src/rest/listener-metrics.ts';
import { code, generatedNote, table } from './markdown.ts';

/** docs/metrics.md: what a proxy with everything switched on and a listener really register. */
export async function metricsPage(): Promise<string> {
  const listener = createListenerMetrics();
  listener.measure(() => {
    throw new Error('only registered here, never read');
  });
  return `${[
    '# Metrics',
    generatedNote('what proxy and listener register'),
    intro,
    '## Proxy: `ADMIN_PORT`, `/metrics`',
    describe(await proxyMetrics()),
    '## Listener: `LISTENER_PORT`, `/metrics`',
    describe(listener.registry),
    'The listener also shows `process_*` and `nodejs_*`, the usual figures of a Node process.',
  ].join('\n\n')}\n`;
}

const intro = `Prometheus’ text format; \`docker/stack.monitoring.yml\` runs a Prometheus that scrapes both, with
alert rules, and a Grafana with a board. A proxy with several workers shows their sum, and takes no count
back when a worker is replaced. \`service\` is \`<owner>/<service>\`, empty where no route matched. Of a histogram there are \`_bucket\`,
\`_sum\` and \`_count\`.`;

/** What a proxy with everything switched on registers. */
export async function proxyMetrics(): Promise<Metrics> {
  const metrics = new Metrics();
  fleetMetrics(metrics, { views: () => [] });
  const dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-metrics-'));
  // No server listens on that port: the metrics of the bus are registered all the same.
  const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
  // Without routes nothing is ordered.
  const ordering = { ACME_DIRECTORY: 'letsencrypt' };
  const env = {
    DATA_DIR: dataDir,
    WORKERS: '0',
    ACCESS_LOG: 'json',
    REDIS_URL: 'redis://127.0.0.1:1',
    ...tracing,
    ...ordering,
  };
  const registry = createRegistry({ store: openEmbeddedStore({ dataDir }), instance: 'swarmgate' });
  const proxy = await startProxy({
    settings: readSettings('proxy', { env }),
    registry,
    logger: silentLogger,
    metrics,
    env,
    signal: new AbortController().signal,
    adminPort: 0,
    prepareServer: (server) =>
      prepareInProcessServer({ ...server, entrypoints: [{ port: 0, secure: false }], host: '127.0.0.1' }),
  });
  await proxy.stop();
  await registry.store.close();
  await rm(dataDir, { recursive: true, force: true });
  return metrics;
}

function describe(metrics: Metrics): string {
  const ours = metrics
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith('swarmgate_'))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const rows = ours.map((metric) => [code(metric.name), kindOf(metric), labelsOf(metric), sentence(metric.help)]);
  return table(['name', 'type', 'labels', 'meaning'], rows);
}

function kindOf(metric: object): string {
  return 'type' in metric ? String(metric.type) : metric.constructor.name.toLowerCase();
}

function labelsOf(metric: object): string {
  const names = 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
  return names.map(code).join(', ') || '–';
}

function sentence(help: string): string {
  const begun = help.slice(0, 1).toUpperCase() + help.slice(1);
  return begun.endsWith('.') ? begun : `${begun}.`;
}
