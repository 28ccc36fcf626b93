import type { EndpointsDocument, MaintenanceDocument } from '@swarmgate/registry';
import { expect } from 'chai';
import { type PlanningContext, withEnded, withEndpointDrained, withServiceDown } from './maintenance-plan.ts';

const nowMs = Date.parse('2026-01-02T03:00:00Z');
const now = new Date(nowMs).toISOString();
const earlier = '2026-01-02T02:00:00.000Z';
const place = { version: 1, owner: 'swarm', service: 'shop' } as const;
const by = { by: 'ann', since: earlier };
const documentWith = (...taskIds: string[]): EndpointsDocument => ({
  ...place,
  dnsName: 'shop',
  tasks: taskIds.map((taskId, at) => ({ taskId, nodeId: 'n', state: 'active', addresses: [`10.0.1.${at + 5}/24`] })),
  published: [],
});
const context = (
  before?: Omit<MaintenanceDocument, keyof typeof place>,
  endpoints?: EndpointsDocument,
): PlanningContext => ({
  owner: 'swarm',
  service: 'shop',
  before: before && { ...place, ...before },
  endpoints,
  by: 'bob',
  nowMs,
});

describe('the next maintenance document', () => {
  it('has who set it and when, and what it replaced as ended', () => {
    const before = { maintenance: { ...by, message: 'first' }, drains: [{ host: 'a', ...by }] };
    expect(withServiceDown(context(before), { message: 'second' })).to.deep.equal({
      ...place,
      drains: [{ host: 'a', ...by }],
      maintenance: { message: 'second', by: 'bob', since: now },
      ended: [{ ...by, endedAt: now, endedBy: 'bob' }],
    });
  });

  it('names the task that has the drained address', () => {
    const drained = (host: string) =>
      withEndpointDrained(context(undefined, documentWith('t1', 't2')), { host, port: 80 }, undefined).drains;
    expect(drained('10.0.1.6')).to.deep.equal([{ host: '10.0.1.6', port: 80, taskId: 't2', by: 'bob', since: now }]);
    expect(drained('10.0.1.60')).to.deep.equal([{ host: '10.0.1.60', port: 80, by: 'bob', since: now }]);
  });

  it('replaces the drain of the same address, and no other', () => {
    const before = { drains: [80, 81].map((port) => ({ host: 'a', port, ...by })) };
    const { drains } = withEndpointDrained(context(before), { host: 'a', port: 80 }, now);
    expect(drains?.map(({ port, tunnelsUntil }) => [port, tunnelsUntil])).to.deep.equal([
      [81, undefined],
      [80, now],
    ]);
  });

  it('drops what has ended by itself, with its own end', () => {
    const before = {
      maintenance: { ...by, until: '2026-01-02T02:30:00.000Z' },
      drains: [{ host: '10.0.1.5', taskId: 'gone', ...by }],
    };
    const next = withEndpointDrained(context(before, documentWith('t1')), { host: '10.0.1.5' }, undefined);
    expect(next.maintenance).to.equal(undefined);
    expect(next.drains?.map(({ taskId }) => taskId)).to.deep.equal(['t1']);
    expect(next.ended).to.deep.equal([
      { ...by, endedAt: '2026-01-02T02:30:00.000Z', endedBy: 'its time' },
      { endpoint: '10.0.1.5', ...by, endedAt: now, endedBy: 'the end of its task' },
    ]);
  });

  const drains = [
    { host: 'a', port: 80, ...by },
    { host: 'a', port: 81, ...by },
    { host: 'b', ...by },
  ];
  for (const [endpoint, left] of [
    [{ host: 'a' }, ['b']],
    [{ host: 'a', port: 80 }, ['a:81', 'b']],
    [{ host: 'b', port: 80 }, ['a:80', 'a:81']],
    [{ host: 'c' }, undefined],
  ] as const)
    it(`ends the drains of ${JSON.stringify(endpoint)}: ${left === undefined ? 'there are none' : `${left} stay`}`, () => {
      const next = withEnded(context({ drains }), endpoint);
      const shown = next?.drains?.map(({ host, port }) => (port === undefined ? host : `${host}:${port}`));
      expect(shown).to.deep.equal(left);
    });

  it('reports that there is nothing to end, also where the time was up', () => {
    expect(withEnded(context(), undefined)).to.equal(undefined);
    expect(withEnded(context({ maintenance: { ...by, until: earlier } }), undefined)).to.equal(undefined);
  });

  it('keeps the last ten that ended', () => {
    let before: Omit<MaintenanceDocument, keyof typeof place> | undefined;
    for (let time = 0; time < 15; time += 1) before = withServiceDown(context(before), { message: String(time) });
    expect(before?.ended).to.have.length(10);
  });
});
