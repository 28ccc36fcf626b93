import { Counter, Gauge, Histogram, type MetricsRegistry as Metrics } from '@swarmgate/runtime/prometheus';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { Steps, TakeSteps } from '../steps.ts';
import type { ServicesFollower } from '../watch/follow-services.ts';
import { ownerOf, serviceOf } from '../watch/served-services.ts';
import type { ProblemsByService } from './collect-problems.ts';

export interface ControlMetricsOptions {
  readonly metrics: Metrics;
  readonly follower: ServicesFollower;
  readonly problems: () => Steps<ProblemsByService>;
  readonly take: TakeSteps;
  readonly routes: () => number;
  readonly ready: () => boolean;
  readonly now?: () => number;
}

export interface ControlMetrics {
  /** One change was put in force. */
  swapped(durationMs: number): void;
}

/** Metrics of the control side; those of serving are measured where requests are handled. */
export function createControlMetrics(options: ControlMetricsOptions): ControlMetrics {
  const { metrics, follower } = options;
  const now = options.now ?? Date.now;
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [metrics],
      collect() {
        this.set(value());
      },
    });

  gauge('swarmgate_ready', '1 when the first table is in force and the proxy is not draining', () =>
    Number(options.ready()),
  );
  gauge('swarmgate_registry_reachable', '1 when the registry responds', () => {
    const kind = follower.state().kind;
    return Number(kind === 'following' || kind === 'holding');
  });
  gauge('swarmgate_revision_sequence', 'journal sequence of the table in force', () => follower.served.sequence);
  gauge('swarmgate_revision_age_seconds', 'time since the registry last confirmed the table in force', () => {
    const asOfMs = follower.asOfMs();
    if (asOfMs === undefined || follower.state().kind === 'following') return 0;
    return Math.max(0, now() - asOfMs) / 1000;
  });
  gauge('swarmgate_services', 'services served', () => follower.served.services.size);
  gauge('swarmgate_routes', 'routes in the table in force', options.routes);
  gauge('swarmgate_rejected_services', 'definitions set aside', () => follower.served.rejected.size);
  gauge('swarmgate_held_services', 'services served on though their keys vanished', () => {
    return follower.served.held.size;
  });
  gauge('swarmgate_foreign_keys', 'keys under the prefix that Swarmgate does not own', () => {
    return follower.served.foreignKeys.length;
  });
  const problemMetric = new ProblemMetric(() => options.take(problemValues(options.problems())));
  // The registry's type names its own classes; what it needs is there.
  metrics.registerMetric(problemMetric as unknown as Parameters<Metrics['registerMetric']>[0]);
  const swaps = new Counter({ name: 'swarmgate_swaps_total', help: 'tables put in force', registers: [metrics] });
  const swapSeconds = new Histogram({
    name: 'swarmgate_swap_seconds',
    help: 'time to put one change in force',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [metrics],
  });
  return {
    swapped: (durationMs) => {
      swaps.inc();
      swapSeconds.observe(durationMs / 1000);
    },
  };
}

/**
 * A gauge whose values are made in slices when it is read: prom-client's own would be filled at once, in tens of
 * milliseconds for ten thousand services. Has what the registry calls: `name`, `type`, `get`.
 */
class ProblemMetric {
  readonly name = 'swarmgate_problems';
  readonly help = 'problems by service and reason';
  readonly type = 'gauge';
  readonly labelNames = ['owner', 'service', 'reason', 'severity'];
  readonly #values: () => Promise<readonly MetricValue<string>[]>;

  constructor(values: () => Promise<readonly MetricValue<string>[]>) {
    this.#values = values;
  }

  async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    const { name, help, type } = this;
    const described = { name, help, type, aggregator: 'sum', values: await this.#values() };
    return described as unknown as MetricObjectWithValues<MetricValue<string>>;
  }

  /** Nothing is kept between two reads. */
  reset(): void {}
}

function* problemValues(collecting: Steps<ProblemsByService>): Steps<readonly MetricValue<string>[]> {
  const values: MetricValue<string>[] = [];
  for (const [key, problems] of yield* collecting) {
    const counts = new Map<string, MetricValue<string>>();
    for (const { reason, severity } of problems) {
      const of = `${reason} ${severity}`;
      const value = counts.get(of) ?? {
        value: 0,
        labels: { owner: ownerOf(key), service: serviceOf(key), reason, severity },
      };
      value.value += 1;
      counts.set(of, value);
    }
    values.push(...counts.values());
    yield;
  }
  return values;
}
