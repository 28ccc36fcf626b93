import { Socket } from 'node:net';
import { silentLogger, Tasks } from '@swarmgate/runtime';
import { expect } from 'chai';
import { batchOfSlots, ConnectionSlots } from './connection-slots.ts';
import { LeasedConnections } from './leased-connections.ts';

interface Proxy {
  readonly slots: ConnectionSlots<number>;
  worker(name: number): LeasedConnections;
  readonly requested: () => number;
}

function proxy(most: number, mostPerAddress = 0, batch = 1, responds = () => true): Proxy {
  const slots = new ConnectionSlots<number>({ most, mostPerAddress });
  let requested = 0;
  return {
    slots,
    requested: () => requested,
    worker: (name) =>
      new LeasedConnections({
        most,
        mostPerAddress,
        batch,
        workers: 2,
        exempt: (address) => address === '10.0.0.1',
        take: async (required) => {
          requested += 1;
          return responds() ? { slots: slots.take(name, required) } : undefined;
        },
        give: (returned) => slots.give(name, returned),
        owner: new Tasks({ logger: silentLogger }).owner('connection-limits'),
      }),
  };
}

/** A connection of a client: a real socket has no address before it is connected. */
function connection(address = '192.0.2.1'): Socket {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: address });
  return socket;
}

function closed(socket: Socket): Promise<void> {
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.destroy();
  return gone;
}

describe('connection limits of several workers', () => {
  it('let in exactly as many as a small limit says, whichever worker gets them', async () => {
    const { worker } = proxy(5);
    const [one, other] = [worker(1), worker(2)];
    const admitted = await Promise.all(
      Array.from({ length: 12 }, (_, at) => (at % 3 === 0 ? other : one).admit(connection())),
    );
    expect(admitted.filter(Boolean)).to.have.length(5);
    expect(one.refused + other.refused).to.equal(7);
  });

  it('give a place back when a connection closes, to any worker', async () => {
    const { worker } = proxy(1);
    const [one, other] = [worker(1), worker(2)];
    const first = connection();
    expect(await one.admit(first)).to.equal(true);
    expect(await other.admit(connection())).to.equal(false);
    await closed(first);
    expect(await other.admit(connection())).to.equal(true);
    expect(one.open).to.equal(0);
  });

  it('get back what a worker held when it ends', async () => {
    const { worker, slots } = proxy(2);
    await worker(1).admit(connection());
    await worker(1).admit(connection());
    expect(await worker(2).admit(connection())).to.equal(false);
    slots.forget(1);
    expect(await worker(2).admit(connection())).to.equal(true);
  });

  it('count an address over all workers, but not an exempt one', async () => {
    const { worker } = proxy(0, 2);
    const [one, other] = [worker(1), worker(2)];
    const first = connection();
    expect(await one.admit(first)).to.equal(true);
    expect(await other.admit(connection())).to.equal(true);
    expect(await one.admit(connection())).to.equal(false);
    expect(await one.admit(connection('192.0.2.2'))).to.equal(true);
    for (let at = 0; at < 5; at += 1) expect(await one.admit(connection('10.0.0.1'))).to.equal(true);
    await closed(first);
    expect(await other.admit(connection())).to.equal(true);
  });

  it('are requested in batches where the limit is large, and ahead of the need', async () => {
    const { worker, requested } = proxy(100_000, 0, 64);
    const one = worker(1);
    await one.admit(connection());
    for (let at = 0; at < 400; at += 1) {
      const admitted = one.admit(connection());
      expect(admitted).to.equal(true);
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(requested()).to.be.lessThan(10);
  });

  it('keep few unused slots', async () => {
    const { worker, slots } = proxy(100_000, 0, 64);
    const one = worker(1);
    const open: Socket[] = [];
    for (let at = 0; at < 1_000; at += 1) {
      const socket = connection();
      open.push(socket);
      await one.admit(socket);
    }
    await Promise.all(open.map(closed));
    expect(one.open).to.equal(0);
    expect(slots.leased).to.be.within(0, 128);
  });

  it('are kept by each worker’s share while the control process does not respond, and by the proxy’s after that', async () => {
    let responds = false;
    const { worker, slots } = proxy(6, 0, 1, () => responds);
    const one = worker(1);
    const open = Array.from({ length: 4 }, () => connection());
    const admitted = await Promise.all(open.map((socket) => one.admit(socket)));
    expect(admitted).to.deep.equal([true, true, true, false]);
    expect([one.open, one.refused, slots.leased]).to.deep.equal([3, 1, 0]);
    await Promise.all(open.map(closed));
    // Nothing is given back that was not taken.
    expect([one.open, slots.leased]).to.deep.equal([0, 0]);
    responds = true;
    const later = await Promise.all(Array.from({ length: 8 }, () => one.admit(connection())));
    expect(later.filter(Boolean)).to.have.length(6);
  });

  it('keep an address’s share, too, and count no connection that was gone by then', async () => {
    const { worker } = proxy(0, 4, 1, () => false);
    const one = worker(1);
    const admitted = await Promise.all(Array.from({ length: 3 }, () => one.admit(connection())));
    expect(admitted).to.deep.equal([true, true, false]);
    expect([one.open, one.refusedOfAddress]).to.deep.equal([2, 1]);
    const gone = connection('192.0.2.9');
    const admitting = one.admit(gone);
    await closed(gone);
    expect([await admitting, one.open]).to.deep.equal([false, 2]);
  });

  it('count a connection that was gone before it was let in', async () => {
    const { worker, slots } = proxy(1);
    const one = worker(1);
    const socket = connection();
    const admitted = one.admit(socket);
    socket.destroy();
    await admitted;
    expect(one.open).to.equal(0);
    expect(slots.leased).to.equal(0);
  });
});

describe('batchOfSlots', () => {
  it('leaves less than a hundredth of the limit unused in other workers', () => {
    for (const most of [1, 10, 500, 5_000, 50_000, 1_000_000])
      for (const workers of [2, 4, 16]) {
        const batch = batchOfSlots(most, workers);
        const unused = batch === 1 ? 0 : 2 * batch * (workers - 1);
        expect(unused, `${most} of ${workers}`).to.be.at.most(most / 100);
      }
  });
});
