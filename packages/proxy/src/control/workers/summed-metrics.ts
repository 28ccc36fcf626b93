import { AggregatorRegistry, type Registry } from 'prom-client';
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

  /** In Prometheus' text format, behind those of the control process itself. */
  async text(own: Registry, ofWorkers: readonly WorkerMetrics[]): Promise<string> {
    await this.#keeping;
    return `${await own.metrics()}${await sumOf([this.#departed, ...ofWorkers]).metrics()}`;
  }
}

function sumOf(all: readonly WorkerMetrics[]): Registry {
  return AggregatorRegistry.aggregate(all.map((metrics) => [...metrics]));
}
