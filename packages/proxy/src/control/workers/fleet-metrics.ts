import { Counter, Gauge, type MetricsRegistry as Metrics } from '@swarmgate/runtime/prometheus';
import type { WorkerFleet } from './worker-fleet.ts';

/** @returns counts a worker that ended */
export function fleetMetrics(
  metrics: Metrics,
  fleet: Pick<WorkerFleet, 'views'>,
): (how: 'drained' | 'crashed') => void {
  new Gauge({
    name: 'swarmgate_workers',
    help: 'Workers by state',
    labelNames: ['state'],
    registers: [metrics],
    collect() {
      this.reset();
      for (const { state } of fleet.views()) this.inc({ state });
    },
  });
  const ends = new Counter({
    name: 'swarmgate_worker_ends_total',
    help: 'Workers that ended, by how: drained or crashed',
    labelNames: ['how'],
    registers: [metrics],
  });
  return (how) => ends.inc({ how });
}
