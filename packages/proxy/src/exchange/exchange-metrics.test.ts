import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import type { AccessRecord } from './access-record.ts';
import { ExchangeMetrics } from './exchange-metrics.ts';

const report: AccessRecord = {
  route: undefined,
  endpoint: undefined,
  method: 'GET',
  host: 'shop.example',
  path: '/',
  status: 200,
  reason: undefined,
  durationMs: 1,
  upstreamMs: undefined,
  retries: 0,
  sentBytes: 10,
  receivedBytes: 1,
  clientAddress: '127.0.0.1',
  protocol: 'HTTP/1.1',
};

describe('the metrics of exchanges', () => {
  it('add up by service and status class, and show the same when they are read again', async () => {
    const metrics = new Metrics();
    const exchanges = new ExchangeMetrics(metrics);
    for (const status of [200, 204, 404, 200, 503]) exchanges.observe({ ...report, status });
    const lines = async () => {
      const text = await metrics.getSingleMetricAsString('swarmgate_requests_total');
      return text.split('\n').filter((line) => !line.startsWith('#'));
    };
    const expected = [
      'swarmgate_requests_total{service="",status="2xx"} 3',
      'swarmgate_requests_total{service="",status="4xx"} 1',
      'swarmgate_requests_total{service="",status="5xx"} 1',
    ];
    expect(await lines()).to.have.members(expected);
    expect(await lines()).to.have.members(expected);
    expect(await metrics.getSingleMetricAsString('swarmgate_sent_bytes_total')).to.contain('status="2xx"} 30');
    expect(exchanges.requests).to.equal(5);
  });
});
