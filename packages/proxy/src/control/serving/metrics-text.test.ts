import { expect } from 'chai';
import { Counter, Gauge, Registry } from 'prom-client';
import { DurationMetric } from '../../exchange/duration-metric.ts';
import { metricsText, withExemplars } from './metrics-text.ts';

async function sample(seconds: number, traceId?: string) {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'requests_total', help: 'Requests \\ "all"', labelNames: ['service'], registers }).inc(
    { service: 'a"b\\c\nd' },
    3,
  );
  new Gauge({ name: 'age_seconds', help: 'Age', registers }).set(Number.POSITIVE_INFINITY);
  const duration = new DurationMetric(
    { name: 'duration_seconds', help: 'Time', labelNames: ['service'], bounds: [0.1, 1] },
    registry,
  );
  const exemplar = traceId === undefined ? undefined : { traceId, spanId: 'b'.repeat(16) };
  duration.cell({ service: 'a' }).observe(seconds, exemplar);
  // As it is after the way through a worker's channel.
  return structuredClone(await registry.getMetricsAsJSON());
}

describe('metrics as text', () => {
  it('are Prometheus’ own format', async () => {
    expect(metricsText(await sample(0.5, 'a'.repeat(32)), 'text').split('\n')).to.deep.equal([
      '# HELP requests_total Requests \\\\ "all"',
      '# TYPE requests_total counter',
      'requests_total{service="a\\"b\\\\c\\nd"} 3',
      '# HELP age_seconds Age',
      '# TYPE age_seconds gauge',
      'age_seconds +Inf',
      '# HELP duration_seconds Time',
      '# TYPE duration_seconds histogram',
      'duration_seconds_bucket{le="0.1",service="a"} 0',
      'duration_seconds_bucket{le="1",service="a"} 1',
      'duration_seconds_bucket{le="+Inf",service="a"} 1',
      'duration_seconds_sum{service="a"} 0.5',
      'duration_seconds_count{service="a"} 1',
      '',
    ]);
  });

  it('are OpenMetrics where that is requested: counters by their family, exemplars, an end', async () => {
    const text = metricsText(await sample(0.5, 'a'.repeat(32)), 'openmetrics');
    expect(text).to.include('# TYPE requests counter\n');
    expect(text).to.include('\nrequests_total{service="a\\"b\\\\c\\nd"} 3\n');
    expect(text).to.match(
      /\nduration_seconds_bucket\{le="1",service="a"\} 1 # \{trace_id="a{32}",span_id="b{16}"\} 0\.5 \d{10}\.?\d*\n/,
    );
    expect(text).to.match(/\n# EOF\n$/);
  });

  it('keep of several workers the newest exemplar of each bucket', async () => {
    const [one, other] = [await sample(0.5, '1'.repeat(32)), await sample(0.6, '2'.repeat(32))];
    const quiet = await sample(5);
    const text = metricsText(withExemplars(await sample(0.5), [one, quiet, other]), 'openmetrics');
    expect(text).to.match(/le="1",service="a"\} 1 # \{trace_id="2{32}"/);
    expect(text).not.to.include('1'.repeat(32));
  });
});
