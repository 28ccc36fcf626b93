import { AggregatorRegistry, type Registry } from 'prom-client';
import { type MetricWithValues, withExemplars } from '../serving/metrics-text.ts';
import type { WorkerMetrics } from './messages.ts';

/** The metrics of all workers as one, those that ended included: a replaced worker takes no count with it. */
export class SummedMetrics {
  #departed: WorkerMetrics = [];
  #keeping: Promise<void> = Promise.resolve();

  /** Keeps what a worker counted. What it only measured (gauges) ended with it. */
  keep(metrics: WorkerMetrics): Promise<void> {
    const counted = metrics.filter(({ type }) => String(type) !== 'gauge');
    // One after the other, so that none is added to a sum that another is replacing.
    this.#keeping = this.#keeping.then(async () => {
      this.#departed = await sumOf([this.#departed, counted]).getMetricsAsJSON();
    });
    return this.#keeping;
  }

  /** The metrics of all workers, summed up. */
  async of(workers: readonly WorkerMetrics[]): Promise<readonly MetricWithValues[]> {
    await this.#keeping;
    return withExemplars(await sumOf([this.#departed, ...workers]).getMetricsAsJSON(), workers);
  }
}

function sumOf(all: readonly WorkerMetrics[]): Registry {
  return AggregatorRegistry.aggregate(all.map((metrics) => [...metrics]));
}
