import { expect } from 'chai';
import { LeasedSemaphores } from './leased-semaphores.ts';
import { SharedSemaphores } from './shared-semaphores.ts';

/** A worker whose calls the control process responds to, unless it is away. */
function workerOf(shared: SharedSemaphores<string>, name: string, isAway: () => boolean = () => false) {
  let calls = 0;
  return new LeasedSemaphores({
    workers: 2,
    acquire: async (key, most) => {
      calls += 1;
      const call = calls;
      return isAway() ? { call } : { call, permit: shared.acquire(name, call, key, most) };
    },
    release: (call) => shared.release(name, call),
  });
}

describe('what is in flight in all workers of a proxy', () => {
  it('is never more than the limit, whichever worker has it', async () => {
    const shared = new SharedSemaphores<string>();
    const [one, other] = [workerOf(shared, 'one'), workerOf(shared, 'other')];
    const releases = [await one.acquire('a', 3), await one.acquire('a', 3), await other.acquire('a', 3)];
    expect(releases.every((release) => release !== undefined)).to.equal(true);
    expect([await one.acquire('a', 3), await other.acquire('a', 3)]).to.deep.equal([undefined, undefined]);
    expect(await other.acquire('b', 3), 'another key').to.be.a('function');
    releases[0]?.();
    expect(await other.acquire('a', 3)).to.be.a('function');
    expect(await one.acquire('a', 3)).to.equal(undefined);
  });

  it('is released by a worker that ends', async () => {
    const shared = new SharedSemaphores<string>();
    const [one, other] = [workerOf(shared, 'one'), workerOf(shared, 'other')];
    await one.acquire('a', 1);
    expect(await other.acquire('a', 1)).to.equal(undefined);
    shared.forget('one');
    expect(await other.acquire('a', 1)).to.be.a('function');
    expect(shared.size).to.equal(1);
  });

  it('is the share of each worker while the control process does not respond', async () => {
    let isAway = true;
    const worker = workerOf(new SharedSemaphores(), 'one', () => isAway);
    const first = await worker.acquire('a', 3);
    expect([typeof first, await worker.acquire('a', 3)]).to.deep.equal(['function', undefined]);
    first?.();
    isAway = false;
    expect(await worker.acquire('a', 3)).to.be.a('function');
  });

  it('is released where the permit came too late for its request', async () => {
    const shared = new SharedSemaphores<string>();
    const worker = new LeasedSemaphores({
      workers: 1,
      acquire: async (key, most) => {
        shared.acquire('one', 1, key, most);
        return { call: 1 };
      },
      release: (call) => shared.release('one', call),
    });
    await worker.acquire('a', 1);
    expect(shared.size).to.equal(0);
  });

  it('takes no release twice', () => {
    const shared = new SharedSemaphores<string>();
    shared.acquire('one', 1, 'a', 2);
    shared.acquire('one', 2, 'a', 2);
    shared.release('one', 1);
    shared.release('one', 1);
    shared.release('other', 2);
    expect(shared.size).to.equal(1);
  });
});
