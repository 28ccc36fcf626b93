import { expect } from 'chai';
import { RowOrder } from './row-order.ts';
import { type ServiceRow, type SortColumn, sortRows } from './service-rows.ts';
import { ServiceStates } from './service-states.ts';

const rate = (requestsPerSecond: number) => ({ requestsPerSecond, p50Ms: null, p99Ms: null, errorsPercent: 0 });

describe('the order of the list', () => {
  for (const column of ['rate', 'service', 'owner', 'endpoints'] satisfies readonly SortColumn[])
    for (const descending of [true, false])
      it(`by ${column}, ${descending ? 'highest' : 'lowest'} first, stays right while services change, come and leave`, () => {
        const [states, order, sorting] = [new ServiceStates(), new RowOrder(), { column, descending }];
        const keyOf = (at: number) => `${at % 3 === 0 ? 'swarm' : 'manual'}/service-${at % 90}`;
        for (let at = 0; at < 200; at += 1) states.setNumbers(keyOf(at), rate(at % 5));
        order.sort(states.rows(), sorting);
        for (let turn = 0; turn < 40; turn += 1) {
          for (let at = 0; at < 6; at += 1)
            states.setNumbers(keyOf(turn * 7 + at * 13), at === 5 ? null : rate((turn + at) % 5));
          expect(order.sort(states.rows(), sorting)).to.deep.equal(sortRows(states.rows(), sorting));
        }
      });

  it('begins again with another column', () => {
    const [states, order] = [new ServiceStates(), new RowOrder()];
    for (const [at, name] of ['b', 'a', 'c'].entries()) states.setNumbers(`swarm/${name}`, rate(at));
    const namesBy = (column: SortColumn) =>
      order.sort(states.rows(), { column, descending: true }).map(({ service }: ServiceRow) => service);
    expect([namesBy('rate'), namesBy('service'), namesBy('rate')]).to.deep.equal([
      ['c', 'a', 'b'],
      ['c', 'b', 'a'],
      ['c', 'a', 'b'],
    ]);
  });
});
