import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import { accessRecord } from '../../test/access-record.ts';
import { tinyRoute } from '../../test/test-context.ts';
import { ExchangeMetrics } from './exchange-metrics.ts';
import { RequestedServices, ServicesApart } from './services-apart.ts';

describe('the metrics of exchanges', () => {
  it('add up by service and status class, and show the same when they are read again', async () => {
    const metrics = new Metrics();
    const exchanges = new ExchangeMetrics(metrics, () => true);
    for (const status of [200, 204, 404, 200, 503]) exchanges.observe(accessRecord({ status }));
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

  it('show requests of services in maintenance under no status class', async () => {
    const metrics = new Metrics();
    const exchanges = new ExchangeMetrics(metrics, () => true);
    for (const status of [503, 200]) exchanges.observe(accessRecord({ status, reason: 'maintenance' }));
    exchanges.observe(accessRecord({ status: 503, reason: 'no-endpoint' }));
    const text = await metrics.getSingleMetricAsString('swarmgate_requests_total');
    expect(text).to.include('service="",status="maintenance"} 2').and.include('service="",status="5xx"} 1');
    expect(await metrics.getSingleMetricAsString('swarmgate_own_answers_total')).to.include('reason="maintenance"} 2');
  });

  describe('have durations', () => {
    let metrics: Metrics;
    const counts = async () => {
      const text = await metrics.getSingleMetricAsString('swarmgate_request_duration_seconds');
      return [...text.matchAll(/^swarmgate_request_duration_seconds_count\{(.*)\} (\d+)$/gm)].map(
        ([, labels, count]) => `${labels} ${count}`,
      );
    };
    const labels = (service: string, entrypoint = 80, protocol = 'HTTP/1.1') =>
      `service="${service}",entrypoint="${entrypoint}",protocol="${protocol}"`;
    beforeEach(() => {
      metrics = new Metrics();
    });

    it('by service, entrypoint and protocol', async () => {
      const exchanges = new ExchangeMetrics(metrics, () => true);
      const route = tinyRoute('shop');
      for (const more of [{}, {}, { entryPort: 443 }, { protocol: 'HTTP/1.0' as const }, { route: undefined }])
        exchanges.observe(accessRecord({ route, ...more }));
      expect(await counts()).to.have.members([
        `${labels('swarm/shop')} 2`,
        `${labels('swarm/shop', 443)} 1`,
        `${labels('swarm/shop', 80, 'HTTP/1.0')} 1`,
        `${labels('')} 1`,
      ]);
    });

    it('of the first services apart, of the others together, and make room of those that are gone', async () => {
      const apart = new ServicesApart(2);
      const exchanges = new ExchangeMetrics(metrics, (service) => apart.admit(service));
      const pass = (name: string) => exchanges.observe(accessRecord({ route: tinyRoute(name) }));
      for (const name of ['a', 'b', 'c', 'd', 'a', 'c']) pass(name);
      const [a, b] = [`${labels('swarm/a')} 2`, `${labels('swarm/b')} 1`];
      expect(await counts()).to.have.members([a, b, `${labels('other')} 3`]);
      const isServed = (service: string) => service !== 'swarm/b';
      exchanges.forget(isServed);
      apart.forget(isServed);
      pass('e');
      expect(await counts()).to.have.members([a, `${labels('swarm/e')} 1`, `${labels('other')} 3`]);
    });

    it('of a worker’s service together with the others until its control process has decided', async () => {
      const requested: string[] = [];
      const services = new RequestedServices((service) => requested.push(service));
      const exchanges = new ExchangeMetrics(metrics, (service) => services.isApart(service));
      const pass = () => exchanges.observe(accessRecord({ route: tinyRoute('a') }));
      pass();
      pass();
      expect(requested).to.deep.equal(['swarm/a']);
      services.decided('swarm/a', true);
      pass();
      expect(await counts()).to.have.members([`${labels('other')} 2`, `${labels('swarm/a')} 1`]);
    });

    it('without those of upgraded connections', async () => {
      new ExchangeMetrics(metrics, () => true).observe(accessRecord({ status: 101, durationMs: 3_600_000 }));
      expect(await counts()).to.deep.equal([]);
    });
  });
});
