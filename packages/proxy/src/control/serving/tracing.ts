import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Logger, Running, Settings, Tasks } from '@swarmgate/runtime';
import { Counter, type MetricsRegistry as Metrics } from '@swarmgate/runtime/prometheus';
import { resourceOf } from '../../exchange/tracing/otlp-spans.ts';
import { SpanExporter } from '../../exchange/tracing/span-exporter.ts';
import type { Sampler } from '../../exchange/tracing/trace-context.ts';
import { TraceIds } from '../../exchange/tracing/trace-ids.ts';
import { Tracer } from '../../exchange/tracing/tracer.ts';

export interface Tracing extends Running {
  readonly tracer: Tracer;
}

/** `undefined` where no collector is set: then a request costs nothing for it. */
export function startTracing(
  settings: Settings,
  logger: Logger,
  metrics: Metrics,
  tasks: Pick<Tasks, 'run'>,
): Tracing | undefined {
  const url = collectorOf(settings);
  if (url === undefined) return undefined;
  const version = readVersion();
  const ids = new TraceIds();
  const exporter = new SpanExporter({
    url,
    headers: { ...credentialsIn(url), ...settings.otlpHeaders },
    tls: {
      authoritiesFile: settings.otlpCertificate,
      certificateFile: settings.otlpClientCertificate,
      keyFile: settings.otlpClientKey,
    },
    compression: settings.otlpCompression,
    resource: resourceOf({
      'service.name': 'swarmgate',
      'service.version': version,
      'service.instance.id': `${hostname()}-${process.pid}`,
      'host.name': hostname(),
      ...settings.otelResourceAttributes,
      ...(settings.otelServiceName === undefined ? {} : { 'service.name': settings.otelServiceName }),
    }),
    version,
    spans: { publishedPorts: settings.publishedPorts },
    mostQueuedSpans: settings.mostQueuedSpans,
    mostSpansPerBatch: Math.min(settings.mostSpansPerBatch, settings.mostQueuedSpans),
    scheduleMs: settings.spanScheduleMs,
    timeoutMs: settings.otlpTimeoutMs,
    logger,
    tasks,
  });
  new Counter({
    name: 'swarmgate_spans_total',
    help: 'Spans for the collector: exported, dropped (the queue was full), failed (not taken)',
    labelNames: ['outcome'],
    registers: [metrics],
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(exporter.counts())) this.inc({ outcome }, count);
    },
  });
  const tracer = new Tracer({ sampler: samplerOf(settings), slowMs: settings.tracesSlowMs, exporter, ids });
  return { tracer, stop: () => exporter.stop() };
}

function collectorOf(settings: Settings): URL | undefined {
  const { otlpTracesEndpoint, otlpEndpoint } = settings;
  if (settings.otelDisabled || settings.tracesExporter === 'none') return undefined;
  if (otlpTracesEndpoint !== undefined) return new URL(otlpTracesEndpoint);
  if (otlpEndpoint === undefined) return undefined;
  return new URL(`${otlpEndpoint.replace(/\/+$/, '')}/v1/traces`);
}

/** Of `http://user:password@collector:4318`. */
function credentialsIn({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

export function samplerOf({
  tracesSampler,
  tracesSamplerArg,
}: Pick<Settings, 'tracesSampler' | 'tracesSamplerArg'>): Sampler {
  const parentBased = tracesSampler.startsWith('parentbased_');
  const ratio = tracesSampler.endsWith('always_on') ? 1 : tracesSampler.endsWith('always_off') ? 0 : tracesSamplerArg;
  return { parentBased, ratio };
}

function readVersion(): string {
  const json: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return typeof json === 'object' && json !== null && 'version' in json ? String(json.version) : 'unknown';
}
