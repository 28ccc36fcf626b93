import { keyLayout } from '@swarmgate/registry';
import { silentLogger, Tasks } from '@swarmgate/runtime';
import { expect } from 'chai';
import { cellOfStatus, TallyRow } from '../../exchange/numbers/tally.ts';
import { atOnce } from '../steps.ts';
import { MergedNumbers } from './merged-numbers.ts';
import { type ReplicaTotals, readTotals, totalsOf, windowsOf } from './replica-totals.ts';
import type { Windows } from './service-numbers.ts';
import { SharedTotals, type TotalsCarrier } from './shared-totals.ts';
import { WindowCounts } from './window-counts.ts';

const layout = keyLayout('swarmgate');

/** So many requests for each service, all of 200 and in one latency bucket. */
function windows(requests: Readonly<Record<string, number>>, bucket = 50): Windows {
  const window = (seconds: number) => ({
    seconds,
    counts: new Map(
      Object.entries(requests).map(([service, count]) => {
        const counts = new WindowCounts();
        const row = new TallyRow();
        row.sentBytes = count * 100;
        row.countReason('no-endpoint');
        counts.add(row, [bucket, cellOfStatus(200)], [count, count]);
        return [service, counts] as const;
      }),
    ),
  });
  return { lastMinute: window(60), last15Minutes: window(900), sinceStart: window(1_000) };
}

describe('what replicas counted, shared', () => {
  /** What each replica wrote, as in the registry. */
  let written: Map<string, string>;
  let writes: number;

  beforeEach(() => {
    written = new Map();
    writes = 0;
  });

  function replica(name: string, own: () => Windows, carrier?: TotalsCarrier, kind: 'consul' | 'embedded' = 'consul') {
    return new SharedTotals({
      tasks: new Tasks({ logger: silentLogger }),
      replica: name,
      layout,
      store: {
        kind,
        list: () => Promise.resolve({ index: 1, data: [...written].map(([key, value]) => ({ key, value, index: 1 })) }),
      },
      presence: {
        list: () =>
          Promise.resolve(
            ['one', 'two'].map((each) => ({
              replica: each,
              registryId: '',
              sequence: 0,
              routes: 0,
              rejected: 0,
              version: '',
              since: '2025-12-31T23:59:59.000Z',
            })),
          ),
        shareNumbers: (document) => {
          writes += 1;
          written.set(`${layout.numbers}${name}`, document);
        },
      },
      carrier,
      totals: (most) =>
        Promise.resolve(
          atOnce(
            totalsOf({
              replica: name,
              at: '2026-01-01T00:00:00.000Z',
              windows: own(),
              inFlight: 1,
              inFlightOf: () => 1,
              ...(most === undefined ? {} : { most }),
            }),
          ),
        ),
      logger: silentLogger,
    });
  }

  it('adds up over replicas: requests, rates, latencies, reasons', async () => {
    const own = windows({ 'swarm/shop': 90 }, 50);
    const other = replica('two', () => windows({ 'swarm/shop': 10, 'swarm/blog': 5 }, 80));
    await other.publish();
    const others = await replica('one', () => own).others();
    expect(others.map((each) => each.replica)).to.deep.equal(['two']);
    const shown = new MergedNumbers([own, ...others.map((each) => atOnce(windowsOf(each)))]).of('swarm/shop', 0);
    expect(shown.lastMinute).to.deep.include({
      requests: 100,
      requestsPerSecond: 1.667,
      sentBytes: 10_000,
      reasons: { 'no-endpoint': 2 },
    });
    const alone = new MergedNumbers([own]).of('swarm/shop', 0);
    expect(shown.lastMinute.p90Ms).to.equal(alone.lastMinute.p90Ms);
    expect(shown.lastMinute.p99Ms).to.be.greaterThan(alone.lastMinute.p99Ms ?? Number.NaN);
  });

  it('writes the 200 busiest to the registry, and that these are not all', async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`swarm/s${at}`, at + 1]));
    await replica('two', () => windows(many)).publish();
    const [reported] = await replica('one', () => windows({})).others();
    expect(reported?.complete).to.equal(false);
    expect(Object.keys(reported?.services ?? {})).to.have.length(200);
    expect(reported?.services).to.have.property('swarm/s499');
    expect(reported?.services).not.to.have.property('swarm/s299');
  });

  it('writes only what changed, and nothing into an embedded registry', async () => {
    let requests = 1;
    const two = replica('two', () => windows({ 'swarm/shop': requests }));
    await two.publish();
    await two.publish();
    expect(writes).to.equal(1);
    requests = 2;
    await two.publish();
    expect(writes).to.equal(2);
    await replica('two', () => windows({ 'swarm/shop': 3 }), undefined, 'embedded').publish();
    expect(writes).to.equal(2);
  });

  it('takes all services by Redis, where that is set', async () => {
    const carried: ReplicaTotals[] = [];
    const carrier: TotalsCarrier = {
      put: (totals) => Promise.resolve(void carried.push(totals)),
      get: (replicas) => Promise.resolve(carried.filter((each) => replicas.includes(each.replica))),
      stop: () => Promise.resolve(),
    };
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`swarm/s${at}`, at + 1]));
    await replica('two', () => windows(many), carrier).publish();
    const [reported] = await replica('one', () => windows({}), carrier).others();
    expect(reported?.complete).to.equal(true);
    expect(Object.keys(reported?.services ?? {})).to.have.length(500);
  });

  it('leaves out what a former process of a replica left in Redis', async () => {
    const carried: ReplicaTotals[] = [];
    const carrier: TotalsCarrier = {
      put: (totals) => Promise.resolve(void carried.push({ ...totals, at: '2025-12-31T23:59:58.999Z' })),
      get: () => Promise.resolve(carried),
      stop: () => Promise.resolve(),
    };
    await replica('two', () => windows({ 'swarm/shop': 1 }), carrier, 'embedded').publish();
    expect(await replica('one', () => windows({}), carrier).others()).to.deep.equal([]);
  });

  it('leaves out what no replica wrote', async () => {
    await replica('two', () => windows({ 'swarm/shop': 1 })).publish();
    const document = written.get(`${layout.numbers}two`) as string;
    const wrong = [
      'no JSON',
      '{}',
      document.replace('"cells":[', '"cells":[-1,'),
      document.replace('"at":"2026', '"at":"yesterday'),
      document.replace('"replica":"two"', '"replica":"a\\u001b[2Jb"'),
    ];
    for (const each of wrong) expect(readTotals(each), each.slice(0, 60)).to.equal(undefined);
    // A document under another name would replace the replica's own.
    written.set(`${layout.numbers}three`, document.replace('"inFlight":1', '"inFlight":99'));
    written.set(`${layout.numbers}four`, '{}');
    const others = await replica('one', () => windows({})).others();
    expect(others.map((each) => [each.replica, each.inFlight])).to.deep.equal([['two', 1]]);
  });

  it('stays below what Consul takes as one value, whatever the services are like', async () => {
    const reasons = windows(
      Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`swarm/s${at}`, 1_000_000 + at])),
    );
    for (const window of Object.values(reasons))
      for (const counts of window.counts.values())
        for (let bucket = 0; bucket < 140; bucket += 1) counts.add(new TallyRow(), [bucket], [123_456 + bucket]);
    await replica('two', () => reasons).publish();
    const document = written.get(`${layout.numbers}two`) as string;
    expect(Buffer.byteLength(document)).to.be.within(10_000, 256 * 1_024);
    expect(readTotals(document)?.complete).to.equal(false);
  });
});
