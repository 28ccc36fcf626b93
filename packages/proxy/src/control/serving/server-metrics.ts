import { type Logger, type Settings, standardOutput, type Tasks } from '@swarmgate/runtime';
import { Counter, Gauge, Histogram, type MetricsRegistry as Metrics } from '@swarmgate/runtime/prometheus';
import type { Balancer } from '../../endpoints/balancing/balancer.ts';
import type { EndpointHealth } from '../../endpoints/endpoint-health.ts';
import { AccessLog } from '../../exchange/access-log.ts';
import type { AccessRecord } from '../../exchange/access-record.ts';
import type { ExchangeContext } from '../../exchange/exchange-context.ts';
import { ExchangeMetrics } from '../../exchange/exchange-metrics.ts';
import { ExchangeRecorder } from '../../exchange/numbers/exchange-recorder.ts';
import type { IsApart } from '../../exchange/services-apart.ts';
import type { Tracer } from '../../exchange/tracing/tracer.ts';
import type { HttpServer } from '../../server/create-http-server.ts';
import type { AdmissionWithinDescriptors } from '../../server/descriptor-budget.ts';
import type { ProxyHeaderError } from '../../server/proxy-protocol/proxied-connections.ts';
import type { RelayEnd } from '../../server/relay/relayed-connection.ts';
import type { Relays } from '../../server/relay/relays.ts';
import type { HelloError } from '../../server/relay/server-name.ts';
import type { CertificateStore } from '../../server/tls/certificate-store.ts';
import type { LiveTail } from '../live/live-tail.ts';
import { startTracing, type Tracing } from './tracing.ts';

/** The parts whose sizes are read with each scrape. */
export interface MeasuredParts {
  readonly limits: Pick<AdmissionWithinDescriptors, 'open' | 'refused' | 'refusedOfAddress' | 'refusedForDescriptors'>;
  readonly relays: Pick<Relays, 'open'>;
  readonly certificates: Pick<CertificateStore, 'all'>;
  readonly balancer: Pick<Balancer, 'inFlight'>;
  readonly http: Pick<HttpServer, 'openByProtocol' | 'pool'>;
}

export interface ServingMetrics {
  /** Of every exchange: counted and, where that is requested, logged. */
  readonly observe: ExchangeContext['observe'];
  readonly opened: (tookMs: number) => void;
  ejected(health: EndpointHealth['kind']): void;
  /** A connection was refused for lack of a trusted, valid PROXY header, or of a ClientHello. */
  readonly refused: (cause: ProxyHeaderError | HelloError) => void;
  /** A connection that was to be relayed is over. */
  readonly relayEnded: (end: RelayEnd) => void;
  requests(): number;
  /** Drops the series of services that are gone. */
  forget(isServed: (service: string) => boolean): void;
  /** Counts by service and endpoint since they were last taken. */
  readonly recorder: ExchangeRecorder;
  /** Absent where no collector is set. */
  readonly tracing: Tracing | undefined;
  watch(parts: MeasuredParts): void;
}

/** What one process that serves requests counts, and its access log. */
export function measureServing({
  settings,
  logger,
  metrics,
  isApart,
  live,
  tasks,
}: {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly isApart: IsApart;
  readonly live: Pick<LiveTail, 'offer'>;
  readonly tasks: Pick<Tasks, 'run'>;
}): ServingMetrics {
  const registers = [metrics];
  const exchanges = new ExchangeMetrics(metrics, isApart);
  const recorder = new ExchangeRecorder();
  const tracing = startTracing(settings, logger, metrics, tasks);
  const connecting = new Histogram({
    name: 'swarmgate_upstream_connect_seconds',
    help: 'Until a connection to an endpoint is open',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const rejections = new Map<ProxyHeaderError | HelloError, number>();
  return {
    observe: observer(settings, metrics, { exchanges, recorder, tracer: tracing?.tracer, live }),
    tracing,
    recorder,
    opened: (tookMs) => connecting.observe(tookMs / 1_000),
    ejected: countEjections(metrics),
    refused: (cause) => rejections.set(cause, (rejections.get(cause) ?? 0) + 1),
    relayEnded: countRelays(metrics),
    requests: () => exchanges.requests,
    forget: (isServed) => exchanges.forget(isServed),
    watch: (parts) => {
      watch(metrics, parts);
      countRejections(metrics, parts.limits, rejections);
    },
  };
}

/** @returns counts one endpoint that is taken out */
export function countEjections(metrics: Metrics): (health: EndpointHealth['kind']) => void {
  const ejections = new Counter({
    name: 'swarmgate_ejections_total',
    help: 'Endpoints taken out, by what showed that they fail: requests, or active checks',
    labelNames: ['by'],
    registers: [metrics],
  });
  return (health) => ejections.inc({ by: health === 'failing-checks' ? 'checks' : 'requests' });
}

function countRelays(metrics: Metrics): (end: RelayEnd) => void {
  const ended = new Counter({
    name: 'swarmgate_relayed_connection_ends_total',
    help: 'Connections of tcp, sni and tls services that are over, by how they ended',
    labelNames: ['end'],
    registers: [metrics],
  });
  return (end) => ended.inc({ end });
}

function watch(metrics: Metrics, { limits, relays, certificates, balancer, http }: MeasuredParts): void {
  const gauge = ExchangeMetrics.gauge;
  const inFlight = 'Requests and relayed connections on their way to an endpoint or back';
  gauge(metrics, 'swarmgate_in_flight', inFlight, () => balancer.inFlight);
  gauge(metrics, 'swarmgate_client_connections', 'Client connections that are open', () => limits.open);
  new Gauge({
    name: 'swarmgate_http_connections',
    help: 'Client connections that are open and carry requests, by protocol',
    labelNames: ['protocol'],
    registers: [metrics],
    collect() {
      for (const [protocol, open] of Object.entries(http.openByProtocol())) this.set({ protocol }, open);
    },
  });
  gauge(
    metrics,
    'swarmgate_relayed_connections',
    'Connections that tcp, sni and tls services relay',
    () => relays.open,
  );
  const sizes = () => http.pool.sizes();
  gauge(metrics, 'swarmgate_upstream_connections', 'Connections to endpoints, idle ones too', () => sizes().open);
  gauge(metrics, 'swarmgate_upstream_idle_connections', 'Connections to endpoints that wait', () => sizes().idle);
  gauge(metrics, 'swarmgate_upstream_queued', 'Requests that wait for a connection', () => sizes().queued);
  const firstEnd = () => Math.min(...certificates.all().map(({ expiresMs }) => expiresMs / 1_000));
  gauge(
    metrics,
    'swarmgate_certificate_expiry_timestamp_seconds',
    'When the first certificate ends, since the epoch',
    firstEnd,
    'min',
  );
}

function countRejections(
  metrics: Metrics,
  limits: MeasuredParts['limits'],
  rejections: ReadonlyMap<ProxyHeaderError | HelloError, number>,
): void {
  new Counter({
    name: 'swarmgate_refused_connections_total',
    help: 'Client connections closed before anything was read of a request, by cause',
    labelNames: ['cause'],
    registers: [metrics],
    collect() {
      this.reset();
      this.inc({ cause: 'limit' }, limits.refused - limits.refusedOfAddress - limits.refusedForDescriptors);
      this.inc({ cause: 'descriptors' }, limits.refusedForDescriptors);
      this.inc({ cause: 'address-limit' }, limits.refusedOfAddress);
      for (const [cause, times] of rejections) this.inc({ cause }, times);
    },
  });
}

interface Observers {
  readonly exchanges: ExchangeMetrics;
  readonly recorder: ExchangeRecorder;
  readonly tracer: Tracer | undefined;
  readonly live: Pick<LiveTail, 'offer'>;
}

function observer(
  settings: Settings,
  metrics: Metrics,
  { exchanges, recorder, tracer, live }: Observers,
): ExchangeContext['observe'] {
  const count = (record: AccessRecord) => {
    exchanges.observe(record, tracer?.end(record) === true ? record.trace : undefined);
    recorder.observe(record);
    live.offer(record);
  };
  if (settings.accessLog === 'off') return count;
  const log = new AccessLog({
    format: settings.accessLog,
    withQuery: settings.accessLogQuery,
    write: standardOutput(),
  });
  new Counter({
    name: 'swarmgate_access_log_dropped_total',
    help: 'Access log lines dropped because the reader was slow',
    registers: [metrics],
    collect() {
      this.reset();
      this.inc(log.dropped);
    },
  });
  return (record) => {
    count(record);
    log.add(record);
  };
}
