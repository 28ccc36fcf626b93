import { Counter, Gauge, type MetricsRegistry as Registry } from '@swarmgate/runtime/prometheus';
import type { AccessRecord } from './access-record.ts';
import { type DurationCell, DurationMetric, type Exemplar } from './duration-metric.ts';
import type { IsApart } from './services-apart.ts';

const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** One service and status class: what the hot path adds to, without touching prom-client. */
interface Series {
  readonly labels: { readonly service: string; readonly status: string };
  requests: number;
  retries: number;
  sentBytes: number;
  receivedBytes: number;
}

interface DurationSeries {
  readonly entryPort: number;
  readonly protocol: AccessRecord['protocol'];
  readonly cell: DurationCell;
}

interface ServiceSeries {
  readonly key: string;
  /** By status class. */
  readonly classes: (Series | undefined)[];
  /** A proxy has few entrypoints and protocols: looking through them costs less than a text to look with. */
  durations: DurationSeries[] | undefined;
}

/** Beside the classes of status codes: requests of services in maintenance must not count as their failures. */
const maintenanceClass = 6;

/** No service is called so: those have an owner before a slash. */
const otherServices = 'other';

/** Counts exchanges for Prometheus. The counters are filled when they are read. */
export class ExchangeMetrics {
  /** Read once per exchange. */
  readonly #services = new Map<string, ServiceSeries>();
  readonly #reasons = new Map<string, number>();
  readonly #causes = new Map<string, number>();
  readonly #duration: DurationMetric;
  readonly #upstream: DurationCell;
  readonly #isApart: IsApart;
  readonly #otherDurations: DurationSeries[] = [];
  #requests = 0;

  constructor(metrics: Registry, isApart: IsApart) {
    this.#isApart = isApart;
    const services = this.#services;
    const registers = [metrics];
    const fromSeries = (name: string, help: string, count: (each: Series) => number) =>
      new Counter({
        name,
        help,
        labelNames: ['service', 'status'],
        registers,
        collect() {
          this.reset();
          for (const { classes } of services.values())
            for (const each of classes) if (each !== undefined) this.inc(each.labels, count(each));
        },
      });
    fromSeries(
      'swarmgate_requests_total',
      'Requests by service and status class; those refused for maintenance are in none of these, their `status` is `maintenance`',
      (each) => each.requests,
    );
    fromSeries('swarmgate_retries_total', 'Tries on another endpoint', (each) => each.retries);
    fromSeries('swarmgate_sent_bytes_total', 'Bytes sent to clients', (each) => each.sentBytes);
    fromSeries('swarmgate_received_bytes_total', 'Bytes received from clients', (each) => each.receivedBytes);
    const fromCounts = (name: string, help: string, label: string, counts: ReadonlyMap<string, number>) =>
      new Counter({
        name,
        help,
        labelNames: [label],
        registers,
        collect() {
          this.reset();
          for (const [value, times] of counts) this.inc({ [label]: value }, times);
        },
      });
    const localResponses = 'Responses the proxy made itself, and exchanges that ended badly, by reason';
    fromCounts('swarmgate_own_answers_total', localResponses, 'reason', this.#reasons);
    const refusedHeads = 'Request heads and bodies refused, by what exactly was wrong';
    fromCounts('swarmgate_refused_heads_total', refusedHeads, 'cause', this.#causes);
    this.#duration = new DurationMetric(
      {
        name: 'swarmgate_request_duration_seconds',
        help: 'From the request’s head to the last byte of its response; `METRICS_SERVICES` bounds the services that are shown apart, the rest is `other`',
        labelNames: ['service', 'entrypoint', 'protocol'],
        bounds: durationBounds,
      },
      metrics,
    );
    const upstream = new DurationMetric(
      {
        name: 'swarmgate_upstream_head_seconds',
        help: 'Until the endpoint’s response head',
        labelNames: [],
        bounds: durationBounds,
      },
      metrics,
    );
    this.#upstream = upstream.cell({});
  }

  /** Exchanges that ended, since the start. */
  get requests(): number {
    return this.#requests;
  }

  /** @param exemplar of a request whose spans are exported */
  observe(record: AccessRecord, exemplar?: Exemplar): void {
    const service = this.#serviceOf(record.route?.key ?? '');
    const series = seriesOf(
      service,
      record.reason === 'maintenance' ? maintenanceClass : Math.floor(record.status / 100),
    );
    series.requests += 1;
    this.#requests += 1;
    series.retries += record.retries;
    series.sentBytes += record.sentBytes;
    series.receivedBytes += record.receivedBytes;
    if (record.reason !== undefined) this.#reasons.set(record.reason, (this.#reasons.get(record.reason) ?? 0) + 1);
    if (record.cause !== undefined) this.#causes.set(record.cause, (this.#causes.get(record.cause) ?? 0) + 1);
    // An upgraded connection lasts as long as its client keeps it.
    if (record.status !== 101) this.#durationOf(service, record).observe(record.durationMs / 1_000, exemplar);
    if (record.upstreamMs !== undefined) this.#upstream.observe(record.upstreamMs / 1_000);
  }

  #serviceOf(key: string): ServiceSeries {
    let service = this.#services.get(key);
    if (service === undefined) {
      service = { key, classes: [], durations: undefined };
      this.#services.set(key, service);
    }
    return service;
  }

  #durationOf(service: ServiceSeries, { entryPort, protocol }: AccessRecord): DurationCell {
    service.durations ??= this.#ownDurations(service.key);
    const durations = service.durations ?? this.#otherDurations;
    for (const known of durations) if (known.entryPort === entryPort && known.protocol === protocol) return known.cell;
    const label = durations === this.#otherDurations ? otherServices : service.key;
    const cell = this.#duration.cell({ service: label, entrypoint: String(entryPort), protocol });
    durations.push({ entryPort, protocol, cell });
    return cell;
  }

  /** `undefined` as long as it is not decided: until then the requests count among the others. */
  #ownDurations(service: string): DurationSeries[] | undefined {
    const isApart = service === '' || this.#isApart(service);
    if (isApart === undefined) return undefined;
    return isApart ? [] : this.#otherDurations;
  }

  /** Drops the series of services that are gone. Others stay, with the requests that they counted. */
  forget(isServed: (service: string) => boolean): void {
    for (const { key, durations } of this.#services.values()) {
      if (key === '' || isServed(key)) continue;
      this.#services.delete(key);
      if (durations === undefined || durations === this.#otherDurations) continue;
      for (const { cell } of durations) this.#duration.remove(cell);
    }
  }

  /** A gauge that is read with each scrape. `ofWorkers`: what becomes of those of several workers. Default `sum`. */
  static gauge(
    metrics: Registry,
    name: string,
    help: string,
    read: () => number,
    ofWorkers: 'sum' | 'min' = 'sum',
  ): void {
    new Gauge({
      name,
      help,
      aggregator: ofWorkers,
      registers: [metrics],
      collect() {
        this.set(read());
      },
    });
  }
}

function seriesOf({ key, classes }: ServiceSeries, statusClass: number): Series {
  const known = classes[statusClass];
  if (known !== undefined) return known;
  const labels = { service: key, status: statusClass === maintenanceClass ? 'maintenance' : `${statusClass}xx` };
  const series: Series = { labels, requests: 0, retries: 0, sentBytes: 0, receivedBytes: 0 };
  classes[statusClass] = series;
  return series;
}
