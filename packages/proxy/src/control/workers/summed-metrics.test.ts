import { expect } from 'chai';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { metricsText } from '../serving/metrics-text.ts';
import type { WorkerMetrics } from './messages.ts';
import { SummedMetrics } from './summed-metrics.ts';

async function ofWorker(requests: number): Promise<WorkerMetrics> {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'requests_total', help: 'h', labelNames: ['service'], registers }).inc(
    { service: 'a' },
    requests,
  );
  new Gauge({ name: 'open', help: 'h', registers }).set(requests);
  new Gauge({ name: 'first_end', help: 'h', aggregator: 'min', registers }).set(requests);
  new Histogram({ name: 'seconds', help: 'h', buckets: [1], registers }).observe(requests);
  // As it is after the way through the channel.
  return structuredClone(await registry.getMetricsAsJSON());
}

describe('metrics of several workers', () => {
  it('are summed, or what the metric says', async () => {
    const text = metricsText(await new SummedMetrics().of([await ofWorker(3), await ofWorker(4)]), 'text');
    expect(text).to.include('\nrequests_total{service="a"} 7\n');
    expect(text).to.include('\nopen 7\n');
    expect(text).to.include('\nfirst_end 3\n');
    expect(text).to.include('\nseconds_count 2\n');
  });

  it('keep the counts of workers that ended, but not what those only measured', async () => {
    const summed = new SummedMetrics();
    void summed.keep(await ofWorker(3));
    void summed.keep(await ofWorker(5));
    const text = metricsText(await summed.of([await ofWorker(4)]), 'text');
    expect(text).to.include('\nrequests_total{service="a"} 12\n');
    expect(text).to.include('\nopen 4\n');
    expect(text).to.include('\nseconds_count 3\n');
  });
});
