import { expect } from 'chai';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ServedService } from '../../model/served-service.ts';
import { metricsText } from '../serving/metrics-text.ts';
import type { ControlMessage, WorkerMetrics } from './messages.ts';
import { SummedMetrics } from './summed-metrics.ts';

async function ofWorker(requests: number): Promise<WorkerMetrics> {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'requests_total', help: 'h', labelNames: ['service'], registers }).inc(
    { service: 'swarm/a' },
    requests,
  );
  new Gauge({ name: 'open', help: 'h', registers }).set(requests);
  new Gauge({ name: 'first_end', help: 'h', aggregator: 'min', registers }).set(requests);
  new Histogram({ name: 'seconds', help: 'h', buckets: [1], registers }).observe(requests);
  // As it is after the way through the channel.
  return structuredClone(await registry.getMetricsAsJSON());
}

function summing() {
  const workers = new Set<{ metrics: WorkerMetrics; collect: () => Promise<WorkerMetrics> }>();
  const messages: ControlMessage[] = [];
  const owner = {
    onFault: (error: unknown) => {
      throw error;
    },
  };
  const summed = new SummedMetrics({ workers, broadcast: (message) => messages.push(message) }, owner);
  const add = (metrics: WorkerMetrics, collect = () => Promise.resolve(metrics)) => {
    const worker = { metrics, collect };
    workers.add(worker);
    return worker;
  };
  const text = async () => metricsText(await summed.collect([]), 'text');
  return { summed, workers, messages, add, text };
}

const served = { key: 'swarm/a' } as unknown as ServedService;

describe('metrics of several workers', () => {
  it('are summed, or aggregated as the metric declares', async () => {
    const { add, text } = summing();
    add(await ofWorker(3));
    add(await ofWorker(4));
    const shown = await text();
    expect(shown).to.include('\nrequests_total{service="swarm/a"} 7\n');
    expect(shown).to.include('\nopen 7\n');
    expect(shown).to.include('\nfirst_end 3\n');
    expect(shown).to.include('\nseconds_count 2\n');
  });

  it('keep the counts of workers that ended, but not what those only measured', async () => {
    const { summed, add, text } = summing();
    summed.keep(await ofWorker(3));
    summed.keep(await ofWorker(5));
    add(await ofWorker(4));
    for (let time = 0; time < 2; time += 1) {
      const shown = await text();
      expect(shown).to.include('\nrequests_total{service="swarm/a"} 12\n');
      expect(shown).to.include('\nopen 4\n');
      expect(shown).to.include('\nseconds_count 3\n');
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('count a worker once that ends while they are collected', async () => {
    const { summed, workers, add, text } = summing();
    add(await ofWorker(4));
    const ending = add(await ofWorker(3), async () => {
      workers.delete(ending);
      summed.keep(ending.metrics);
      return ending.metrics;
    });
    expect(await text()).to.include('\nrequests_total{service="swarm/a"} 7\n');
    expect(await text()).to.include('\nrequests_total{service="swarm/a"} 7\n');
  });

  it('end for a service that is gone, in all workers at once, and begin again with it', async () => {
    const { summed, messages, add, text } = summing();
    summed.keep(await ofWorker(3));
    const worker = add(await ofWorker(4));
    summed.apply(new Map([['swarm/a', undefined]]));
    expect(await text()).to.include('requests_total{service="swarm/a"} 7\n');
    expect(['swarm/a', 'swarm/b', ''].map(summed.forget())).to.deep.equal([false, true, true]);
    expect(messages).to.deep.equal([{ kind: 'forget', services: ['swarm/a'] }]);
    // The worker has not done so yet.
    expect(await text()).not.to.include('swarm/a');
    worker.metrics = await ofWorker(0);
    summed.apply(new Map([['swarm/a', served]]));
    expect(await text()).to.include('requests_total{service="swarm/a"} 0\n');
  });

  it('go on for a service that comes back before that', async () => {
    const { summed, messages, add, text } = summing();
    add(await ofWorker(4));
    summed.apply(new Map([['swarm/a', undefined]]));
    summed.apply(new Map([['swarm/a', served]]));
    summed.forget();
    expect(messages).to.deep.equal([]);
    expect(await text()).to.include('requests_total{service="swarm/a"} 4\n');
  });
});
