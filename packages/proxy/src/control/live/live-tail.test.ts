import { silentLogger, Tasks } from '@swarmgate/runtime';
import { expect } from 'chai';
import { accessRecord } from '../../../test/access-record.ts';
import { tinyRoute } from '../../../test/test-context.ts';
import { type LiveFilter, matches } from './live-request.ts';
import { type LiveBatch, LiveTail } from './live-tail.ts';

describe('live requests', () => {
  const record = accessRecord({
    route: tinyRoute('shop'),
    path: '/cart',
    query: '?token=1',
    status: 503,
    reason: 'no-endpoint',
    durationMs: 20,
  });
  const filters: readonly (readonly [LiveFilter, boolean])[] = [
    [{}, true],
    [{ service: 'swarm/shop' }, true],
    [{ service: 'shop' }, true],
    [{ service: 'hop' }, false],
    [{ service: 'manual/shop' }, false],
    [{ service: '' }, false],
    [{ status: { from: 500, to: 599 } }, true],
    [{ status: { from: 503, to: 503 } }, true],
    [{ status: { from: 400, to: 499 } }, false],
    [{ minDurationMs: 20 }, true],
    [{ minDurationMs: 21 }, false],
    [{ reason: 'no-endpoint' }, true],
    [{ reason: 'no-route' }, false],
    [{ service: 'shop', status: { from: 500, to: 599 }, minDurationMs: 1, reason: 'no-endpoint' }, true],
    [{ service: 'shop', status: { from: 500, to: 599 }, minDurationMs: 100, reason: 'no-endpoint' }, false],
  ];
  for (const [filter, expected] of filters)
    it(`${expected ? 'match' : 'do not match'} ${JSON.stringify(filter)}`, () => {
      expect(matches(record, filter)).to.equal(expected);
    });

  it('match by no name what no route matched', () => {
    expect(matches(accessRecord(), { service: '' })).to.equal(true);
    expect(matches(accessRecord(), { service: 'shop' })).to.equal(false);
  });

  describe('are passed on', () => {
    let nowMs: number;
    let batches: (readonly [number, LiveBatch])[];
    let tail: LiveTail;
    const owner = new Tasks({ logger: silentLogger }).owner('live-requests');
    const started = (withQuery = false) => {
      tail = new LiveTail({ onBatch: (id, batch) => batches.push([id, batch]), withQuery, owner, now: () => nowMs });
    };
    beforeEach(() => {
      nowMs = 0;
      batches = [];
      started();
    });
    afterEach(() => tail.stop());

    it('to every watch that they match, without their query', () => {
      tail.watch(1, { filter: { service: 'shop' }, perSecond: 10 });
      tail.watch(2, { filter: { service: 'blog' }, perSecond: 10 });
      tail.watch(3, { filter: {}, perSecond: 10 });
      tail.offer(record);
      tail.flush();
      expect(batches.map(([id]) => id)).to.deep.equal([1, 3]);
      const [, { requests }] = batches[0] as readonly [number, LiveBatch];
      expect(requests[0]).to.deep.include({
        service: 'swarm/shop',
        path: '/cart',
        status: 503,
        reason: 'no-endpoint',
        durationMs: 20,
        endpoint: null,
        traceId: null,
      });
      expect(JSON.stringify(batches)).not.to.include('token');
      tail.flush();
      expect(batches).to.have.length(2);
    });

    it('with their query where a setting shows it', () => {
      started(true);
      tail.watch(1, { filter: {}, perSecond: 10 });
      tail.offer(record);
      tail.flush();
      expect(batches[0]?.[1].requests[0]?.path).to.equal('/cart?token=1');
    });

    it('up to so many a second; the others are counted', () => {
      tail.watch(1, { filter: {}, perSecond: 5 });
      for (let each = 0; each < 1_000; each += 1) tail.offer(record);
      tail.flush();
      expect(batches[0]?.[1].requests).to.have.length(5);
      expect(batches[0]?.[1].skipped).to.equal(995);
      nowMs = 1_000;
      tail.offer(record);
      tail.flush();
      expect(batches[1]?.[1]).to.have.property('skipped', 0);
      expect(batches[1]?.[1].requests).to.have.length(1);
    });

    it('no longer when the watch has ended', () => {
      tail.watch(1, { filter: {}, perSecond: 5 });
      tail.unwatch(1);
      tail.offer(record);
      tail.flush();
      expect(batches).to.deep.equal([]);
    });
  });
});
