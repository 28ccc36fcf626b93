import { expect } from 'chai';
import type { AccessRecord } from '../../exchange/access-record.ts';
import { ExchangeRecorder } from '../../exchange/numbers/exchange-recorder.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Route } from '../../model/route.ts';
import { ServiceNumbers } from './service-numbers.ts';
import { WindowCounts } from './window-counts.ts';

interface Requested {
  readonly service?: string;
  readonly endpoint?: string;
  readonly status?: number;
  readonly durationMs?: number;
  readonly reason?: string;
}

function record({ service, endpoint, status = 200, durationMs = 10, reason }: Requested): AccessRecord {
  return {
    // Nothing but these is looked at.
    route: service === undefined ? undefined : ({ key: service } as Route),
    endpoint: endpoint === undefined ? undefined : ({ id: endpoint } as Endpoint),
    status,
    durationMs,
    reason,
    retries: 0,
    sentBytes: 100,
    receivedBytes: 10,
  } as AccessRecord;
}

function shown(counts: ReadonlyMap<string, WindowCounts>, seconds: number, service: string) {
  const its = counts.get(service) ?? new WindowCounts();
  return its.numbers(its.requests / seconds);
}

describe('the numbers of services', () => {
  let nowMs: number;
  let numbers: ServiceNumbers;
  let recorder: ExchangeRecorder;

  beforeEach(() => {
    nowMs = 1_000;
    numbers = new ServiceNumbers(() => nowMs);
    recorder = new ExchangeRecorder();
  });

  const pass = (requested: Requested, times = 1) => {
    for (let time = 0; time < times; time += 1) recorder.observe(record(requested));
    merge();
  };
  const merge = () => {
    for (const delta of recorder.take()) numbers.add(delta);
  };
  /** As the clock and the timer do it. */
  const later = (seconds: number) => {
    for (let passed = 0; passed < seconds; passed += 1) {
      nowMs += 1_000;
      numbers.advance();
    }
  };
  const of = async (service: string) => {
    const { lastMinute, last15Minutes, sinceStart } = await numbers.byService();
    return [lastMinute, last15Minutes, sinceStart].map(({ counts }) => counts.get(service)?.requests ?? 0);
  };

  it('count by status class, bytes, reason and latency', async () => {
    later(10);
    pass({ service: 'swarm/shop', endpoint: 'a', durationMs: 10 }, 90);
    pass({ service: 'swarm/shop', endpoint: 'b', durationMs: 500, status: 500 }, 9);
    pass({ service: 'swarm/shop', status: 503, reason: 'no-endpoint', durationMs: 2_000 });
    const { counts, seconds } = (await numbers.byService()).sinceStart;
    expect(seconds).to.equal(10);
    const its = shown(counts, seconds, 'swarm/shop');
    expect(its).to.deep.include({
      requests: 100,
      requestsPerSecond: 10,
      status: { '1xx': 0, '2xx': 90, '3xx': 0, '4xx': 0, '5xx': 10 },
      errorsPercent: 10,
      sentBytes: 10_000,
      receivedBytes: 1_000,
      reasons: { 'no-endpoint': 1 },
    });
    expect(its.p50Ms).to.be.closeTo(10, 0.5);
    expect(its.p90Ms).to.be.closeTo(10, 0.5);
    expect(its.p99Ms).to.be.closeTo(500, 25);
    const byEndpoint = (await numbers.byEndpoint('swarm/shop')).sinceStart.counts;
    expect([...byEndpoint].map(([id, { requests }]) => [id, requests])).to.have.deep.members([
      ['a', 90],
      ['b', 9],
      ['', 1],
    ]);
  });

  it('count responses for maintenance by their reason, and not as failures', async () => {
    pass({ service: 'swarm/shop', status: 500 });
    pass({ service: 'swarm/shop', status: 503, reason: 'maintenance' }, 9);
    const { counts, seconds } = (await numbers.byService()).sinceStart;
    expect(shown(counts, seconds, 'swarm/shop')).to.deep.include({
      requests: 10,
      status: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 1 },
      errorsPercent: 10,
      reasons: { maintenance: 9 },
    });
  });

  it('keep services apart, and those that no route matched under no name', async () => {
    pass({ service: 'swarm/shop', endpoint: 'a' }, 2);
    pass({ service: 'swarm/blog', endpoint: 'a' }, 3);
    pass({ status: 404, reason: 'no-route' }, 4);
    expect([await of('swarm/shop'), await of('swarm/blog'), await of('')]).to.deep.equal([
      [2, 2, 2],
      [3, 3, 3],
      [4, 4, 4],
    ]);
  });

  it('let the last minute and the last 15 minutes pass', async () => {
    pass({ service: 'swarm/shop' }, 5);
    expect(await of('swarm/shop')).to.deep.equal([5, 5, 5]);
    later(71);
    expect(await of('swarm/shop')).to.deep.equal([0, 5, 5]);
    later(14 * 60);
    expect(await of('swarm/shop')).to.deep.equal([0, 5, 5]);
    later(2 * 60);
    expect(await of('swarm/shop')).to.deep.equal([0, 0, 5]);
  });

  it('take the length of a window into account: a steady rate shows as it is', async () => {
    for (let second = 0; second < 20 * 60; second += 1) {
      pass({ service: 'swarm/shop' }, 3);
      later(1);
    }
    const { lastMinute, last15Minutes, sinceStart } = await numbers.byService();
    for (const { counts, seconds } of [lastMinute, last15Minutes, sinceStart])
      expect(shown(counts, seconds, 'swarm/shop').requestsPerSecond).to.be.closeTo(3, 0.06);
    expect(lastMinute.seconds).to.be.within(60, 71);
    expect(last15Minutes.seconds).to.be.within(900, 971);
  });

  it('leave an upgraded connection out of the latencies', async () => {
    pass({ service: 'swarm/chat', status: 101, durationMs: 3_600_000 });
    pass({ service: 'swarm/chat', durationMs: 4 });
    const { counts, seconds } = (await numbers.byService()).lastMinute;
    expect(shown(counts, seconds, 'swarm/chat')).to.include({ requests: 2 });
    expect(shown(counts, seconds, 'swarm/chat').p99Ms).to.be.closeTo(4, 0.2);
  });

  it('hold hundreds of endpoints apart', async () => {
    for (let at = 0; at < 300; at += 1) recorder.observe(record({ service: 'swarm/shop', endpoint: `task-${at}` }));
    for (let at = 0; at < 300; at += 1) recorder.observe(record({ service: 'swarm/shop', endpoint: `task-${at}` }));
    merge();
    const rows = [...(await numbers.byEndpoint('swarm/shop')).sinceStart.counts.values()].map(
      ({ requests }) => requests,
    );
    expect(rows).to.deep.equal(new Array(300).fill(2));
  });

  it('let go of services and endpoints that are gone, when nothing came for 15 minutes', async () => {
    pass({ service: 'swarm/shop', endpoint: 'old' }, 4);
    pass({ service: 'swarm/shop', endpoint: 'new' }, 2);
    pass({ service: 'swarm/gone', endpoint: 'x' }, 7);
    const isServed = (service: string, endpoint: string) => service === 'swarm/shop' && endpoint !== 'old';
    numbers.forget(isServed);
    expect(await of('swarm/gone')).to.deep.equal([7, 7, 7]);
    later(17 * 60);
    numbers.forget(isServed);
    expect(await of('swarm/gone')).to.deep.equal([0, 0, 0]);
    expect(await of('swarm/shop')).to.deep.equal([0, 0, 6]);
    const left = [...(await numbers.byEndpoint('swarm/shop')).sinceStart.counts].map(([id, { requests }]) => [
      id,
      requests,
    ]);
    expect(left).to.have.deep.members([
      ['', 4],
      ['new', 2],
    ]);
    pass({ service: 'swarm/gone', endpoint: 'x' }, 1);
    pass({ service: 'swarm/other', endpoint: 'y' }, 1);
    expect([await of('swarm/gone'), await of('swarm/other'), await of('swarm/shop')]).to.deep.equal([
      [1, 1, 1],
      [1, 1, 1],
      [0, 0, 6],
    ]);
  });

  it('take from a recorder what came since the last time, and nothing twice', async () => {
    recorder.observe(record({ service: 'swarm/shop' }));
    expect([...recorder.take()].map(({ names }) => names)).to.deep.equal([['swarm/shop', '']]);
    expect([...recorder.take()]).to.deep.equal([]);
  });
});
