import type { ServiceKey } from '@swarmgate/registry';
import { type FaultOwner, guardPromise } from '@swarmgate/runtime';
import { AggregatorRegistry, type MetricsRegistry as Registry } from '@swarmgate/runtime/prometheus';
import type { ServicesChange } from '../../model/served-service.ts';
import { type MetricWithValues, withExemplars } from '../serving/metrics-text.ts';
import type { ControlMessage, WorkerMetrics } from './messages.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface MeasuredFleet {
  readonly workers: Iterable<Pick<WorkerProcess, 'metrics' | 'collect'>>;
  broadcast(message: ControlMessage): void;
}

/**
 * The metrics of all workers as one, those that ended included: a replaced worker takes no count with it, and no counter
 * goes back, which Prometheus would take for a restart of the proxy and add all of it once more.
 */
export class SummedMetrics {
  readonly #fleet: MeasuredFleet;
  readonly #owner: FaultOwner;
  #departed: WorkerMetrics = [];
  /** Of workers that ended, not yet in the sum of the departed. */
  readonly #ended: WorkerMetrics[] = [];
  #folding: Promise<void> = Promise.resolve();
  readonly #removed = new Set<ServiceKey>();
  /** Services whose series have ended: a worker may still send what it had of theirs. */
  #gone = new Set<string>();

  /** @param owner gets what goes wrong in summing up */
  constructor(fleet: MeasuredFleet, owner: FaultOwner) {
    this.#fleet = fleet;
    this.#owner = owner;
  }

  apply(changes: ServicesChange['changes']): void {
    for (const [key, served] of changes)
      if (served === undefined) this.#removed.add(key);
      else {
        this.#removed.delete(key);
        this.#gone.delete(key);
      }
  }

  /** Keeps what a worker counted, from this turn on. What it only measured (gauges) ended with it. */
  keep(metrics: WorkerMetrics): void {
    this.#ended.push(metrics.filter(({ type }) => String(type) !== 'gauge'));
    this.#inTurn(async () => {
      const taken = [...this.#ended];
      this.#departed = await sumOf([this.#departed, ...taken]).getMetricsAsJSON();
      this.#ended.splice(0, taken.length);
    });
  }

  /**
   * Ends the series of services that were removed since the last call, in all workers at once: one after the other, their sum
   * would go back.
   * @returns whether a service is still counted
   */
  forget(): (service: string) => boolean {
    const gone: ReadonlySet<string> = new Set(this.#removed);
    this.#gone = new Set(gone);
    this.#removed.clear();
    const isKept = (service: string) => !gone.has(service);
    if (gone.size === 0) return isKept;
    this.#fleet.broadcast({ kind: 'forget', services: [...gone] });
    this.#inTurn(() => {
      this.#departed = without(this.#departed, gone);
      return Promise.resolve();
    });
    return isKept;
  }

  /** The metrics of all workers as they are now, summed up. */
  async collect(ofControl: WorkerMetrics): Promise<readonly MetricWithValues[]> {
    await Promise.all([...this.#fleet.workers].map((worker) => worker.collect()));
    // In one turn with what is kept, so that a worker which ended meanwhile is not counted twice.
    const present = [ofControl, ...[...this.#fleet.workers].map(({ metrics }) => metrics)];
    const all = [this.#departed, ...this.#ended, ...present].map((each) => without(each, this.#gone));
    return withExemplars(await sumOf(all).getMetricsAsJSON(), present);
  }

  /** One after the other, so that nothing is changed in a sum that another step is replacing. */
  #inTurn(step: () => Promise<void>): void {
    this.#folding = this.#folding.then(step);
    guardPromise(this.#owner, this.#folding);
    this.#folding = this.#folding.catch(() => undefined);
  }
}

function without(metrics: WorkerMetrics, services: ReadonlySet<string>): WorkerMetrics {
  if (services.size === 0) return metrics;
  return metrics.map((metric) => ({
    ...metric,
    values: metric.values.filter(({ labels }) => !services.has(String(labels.service))),
  }));
}

function sumOf(all: readonly WorkerMetrics[]): Registry {
  return AggregatorRegistry.aggregate(all.map((metrics) => [...metrics]));
}
