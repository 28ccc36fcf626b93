import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { AccessRecord } from './access-record.ts';

const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** One service and status class: what the hot path adds to, without touching prom-client. */
interface Series {
  readonly labels: { readonly service: string; readonly status: string };
  requests: number;
  retries: number;
  sentBytes: number;
  receivedBytes: number;
}

/** Counts exchanges for Prometheus. The counters are filled when they are read. */
export class ExchangeMetrics {
  /** By service, then by status class: every exchange looks here, so no text is made to look with. */
  readonly #series = new Map<string, (Series | undefined)[]>();
  readonly #reasons = new Map<string, number>();
  readonly #causes = new Map<string, number>();
  readonly #duration: Histogram;
  readonly #upstream: Histogram;
  #requests = 0;

  constructor(metrics: Registry) {
    const series = this.#series;
    const registers = [metrics];
    const fromSeries = (name: string, help: string, count: (each: Series) => number) =>
      new Counter({
        name,
        help,
        labelNames: ['service', 'status'],
        registers,
        collect() {
          this.reset();
          for (const classes of series.values())
            for (const each of classes) if (each !== undefined) this.inc(each.labels, count(each));
        },
      });
    fromSeries('swarmgate_requests_total', 'Requests by service and status class', (each) => each.requests);
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
    const ownAnswers = 'Answers the proxy made itself, and exchanges that ended badly, by reason';
    fromCounts('swarmgate_own_answers_total', ownAnswers, 'reason', this.#reasons);
    const refusedHeads = 'Request heads and bodies refused, by what exactly was wrong';
    fromCounts('swarmgate_refused_heads_total', refusedHeads, 'cause', this.#causes);
    this.#duration = new Histogram({
      name: 'swarmgate_request_duration_seconds',
      help: 'From the request’s head to the last byte of its answer',
      buckets: durationBuckets,
      registers,
    });
    this.#upstream = new Histogram({
      name: 'swarmgate_upstream_head_seconds',
      help: 'Until the endpoint’s response head',
      buckets: durationBuckets,
      registers,
    });
  }

  /** Exchanges that ended, since the start. */
  get requests(): number {
    return this.#requests;
  }

  observe(report: AccessRecord): void {
    const series = this.#seriesOf(report.route?.key ?? '', Math.floor(report.status / 100));
    series.requests += 1;
    this.#requests += 1;
    series.retries += report.retries;
    series.sentBytes += report.sentBytes;
    series.receivedBytes += report.receivedBytes;
    if (report.reason !== undefined) this.#reasons.set(report.reason, (this.#reasons.get(report.reason) ?? 0) + 1);
    if (report.cause !== undefined) this.#causes.set(report.cause, (this.#causes.get(report.cause) ?? 0) + 1);
    this.#duration.observe(report.durationMs / 1_000);
    if (report.upstreamMs !== undefined) this.#upstream.observe(report.upstreamMs / 1_000);
  }

  #seriesOf(service: string, statusClass: number): Series {
    let classes = this.#series.get(service);
    if (classes === undefined) {
      classes = [];
      this.#series.set(service, classes);
    }
    const known = classes[statusClass];
    if (known !== undefined) return known;
    const labels = { service, status: `${statusClass}xx` };
    const series: Series = { labels, requests: 0, retries: 0, sentBytes: 0, receivedBytes: 0 };
    classes[statusClass] = series;
    return series;
  }

  /** A gauge that is read when Prometheus asks. `ofWorkers`: what becomes of those of several workers. Default `sum`. */
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
