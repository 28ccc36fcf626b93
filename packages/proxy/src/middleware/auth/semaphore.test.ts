import { expect } from 'chai';
import { Semaphore } from './semaphore.ts';

describe('Semaphore', () => {
  it('lets a few at a time, in their order, and sends away those who are too many', async () => {
    const semaphore = new Semaphore({ atOnce: 2, mostWaiting: 2 });
    const order: number[] = [];
    const take = (number: number) =>
      semaphore.take().then((mine) => {
        order.push(mine ? number : -number);
      });
    const all = [1, 2, 3, 4, 5].map(take);
    await Promise.all([all[0], all[1], all[4]]);
    expect(order).to.deep.equal([1, 2, -5]);
    semaphore.giveBack();
    await all[2];
    semaphore.giveBack();
    await all[3];
    expect(order).to.deep.equal([1, 2, -5, 3, 4]);
    semaphore.giveBack();
    semaphore.giveBack();
    expect(await semaphore.take()).to.equal(true);
  });
});
