import { closeSync, openSync } from 'node:fs';
import { expect } from 'chai';
import { until } from '../../../test/until.ts';
import { ConnectionCounts, createCountsFile } from './connection-counts.ts';
import { ConnectionPlacement, type HandedConnection, type PlacedWorker } from './connection-placement.ts';

class FakeWorker implements PlacedWorker {
  state = 'serving';
  offers = 0;
  readonly got: HandedConnection[] = [];
  readonly #end = Promise.withResolvers<void>();
  readonly ended = this.#end.promise;

  offerConnections(): void {
    this.offers += 1;
  }

  /** Connections that have been sent, but have not left. */
  readonly leaving: (() => void)[] = [];
  sendsAtOnce = true;

  giveConnection(connection: HandedConnection, onLeft: () => void): void {
    this.got.push(connection);
    if (this.sendsAtOnce) onLeft();
    else this.leaving.push(onLeft);
  }

  end(): void {
    this.state = 'ended';
    this.#end.resolve();
  }
}

function connection(port = 80): HandedConnection & { readonly isClosed: () => boolean } {
  let closed = false;
  const close = () => {
    closed = true;
  };
  return { port, handle: { readStop: () => 0, close }, isClosed: () => closed };
}

describe('the placement of connections that workers hand over', () => {
  const places = 4;
  let fd: number;
  let counts: ConnectionCounts;
  let placement: ConnectionPlacement<FakeWorker>;
  const faults: unknown[] = [];

  beforeEach(() => {
    fd = createCountsFile(places) ?? -1;
    const owner = { onFault: (error: unknown) => faults.push(error) };
    counts = new ConnectionCounts(fd, places, owner);
    placement = new ConnectionPlacement(new ConnectionCounts(fd, places, owner), owner);
  });
  afterEach(() => {
    closeSync(fd);
    expect(faults).to.deep.equal([]);
  });

  const serving = (...open: readonly number[]) =>
    open.map((each) => {
      const worker = new FakeWorker();
      const at = placement.free() ?? -1;
      placement.add(worker, at);
      placement.changed(worker);
      counts.writeOfWorker(at, each, 0);
      return worker;
    });

  it('gives one to the worker with the fewest, once that responds', () => {
    const [from, more, fewest] = serving(9, 5, 2) as [FakeWorker, FakeWorker, FakeWorker];
    const handed = connection(8080);
    placement.handedOver(from, handed);
    expect([fewest.offers, fewest.got.length, more.offers]).to.deep.equal([1, 0, 0]);
    placement.takes(fewest);
    expect(fewest.got).to.deep.equal([handed]);
    counts.read();
    expect(counts.openOf(2), 'it is on its way').to.equal(3);
  });

  it('spreads those that come at once, those on their way counted, and queries each worker once', () => {
    const [from, one, other] = serving(3, 0, 0) as [FakeWorker, FakeWorker, FakeWorker];
    for (let at = 0; at < 4; at += 1) placement.handedOver(from, connection());
    expect([one.offers, other.offers]).to.deep.equal([1, 1]);
    placement.takes(one);
    placement.takes(other);
    expect([from.got.length, one.got.length, other.got.length]).to.deep.equal([0, 2, 2]);
  });

  it('gives one back where its own worker has no more than the others', () => {
    const [from, other] = serving(2, 2) as [FakeWorker, FakeWorker];
    placement.handedOver(from, connection());
    expect([from.got.length, from.offers, other.offers]).to.deep.equal([1, 0, 0]);
  });

  it('gives those of a worker that does not respond back, and offers it none until it does', async () => {
    const [from, halted] = serving(5, 0) as [FakeWorker, FakeWorker];
    placement.handedOver(from, connection());
    await until(() => from.got.length === 1, 'the connection is back');
    placement.handedOver(from, connection());
    expect([from.got.length, halted.offers]).to.deep.equal([2, 1]);
    placement.takes(halted);
    expect(halted.got).to.deep.equal([]);
    placement.handedOver(from, connection());
    placement.takes(halted);
    expect([from.got.length, halted.got.length]).to.deep.equal([2, 1]);
  });

  it('gives those of a worker that ends back, and those of two that end to a third', async () => {
    const [from, ends, third] = serving(5, 0, 9) as [FakeWorker, FakeWorker, FakeWorker];
    placement.handedOver(from, connection());
    ends.end();
    await until(() => from.got.length === 1, 'the connection is back');
    const [next] = serving(0) as [FakeWorker];
    const last = connection();
    placement.handedOver(from, last);
    from.end();
    await from.ended;
    next.end();
    await until(() => third.offers === 1, 'it is offered to the third');
    placement.takes(third);
    expect(third.got).to.deep.equal([last]);
  });

  it('passes over workers that drain, even where one drains between the query and the response', () => {
    const [from, drains] = serving(5, 0) as [FakeWorker, FakeWorker];
    placement.handedOver(from, connection());
    drains.state = 'draining';
    placement.changed(drains);
    placement.takes(drains);
    placement.handedOver(from, connection());
    expect([from.got.length, drains.got.length]).to.deep.equal([2, 0]);
    counts.read();
    expect(counts.isServing(1)).to.equal(false);
  });

  it('gives one back where all drain, as it was accepted before, and closes one only where no worker is left', async () => {
    const [from, other] = serving(3, 1) as [FakeWorker, FakeWorker];
    const [handed, late] = [connection(), connection()];
    placement.handedOver(from, handed);
    from.state = 'draining';
    other.state = 'draining';
    placement.takes(other);
    expect([from.got, other.got]).to.deep.equal([[handed], []]);
    from.end();
    await until(() => placement.free() === 0, 'its place is free');
    placement.handedOver(from, late);
    expect([late.isClosed(), other.got.length]).to.deep.equal([true, 0]);
  });

  it('closes its own handle once the worker has the connection, and no sooner', () => {
    const [from, other] = serving(5, 0) as [FakeWorker, FakeWorker];
    other.sendsAtOnce = false;
    const handed = connection();
    placement.handedOver(from, handed);
    placement.takes(other);
    expect(handed.isClosed()).to.equal(false);
    other.leaving[0]?.();
    expect(handed.isClosed()).to.equal(true);
  });

  it('gives those that had not left for a worker that ends to others, and closes none of them', async () => {
    const [from, ends] = serving(5, 0) as [FakeWorker, FakeWorker];
    ends.sendsAtOnce = false;
    const [left, ...rest] = [connection(), connection(), connection()] as const;
    for (const each of [left, ...rest]) placement.handedOver(from, each);
    placement.takes(ends);
    ends.leaving[0]?.();
    from.sendsAtOnce = false;
    ends.end();
    await until(() => from.got.length === 2, 'the other two are back');
    expect(from.got).to.deep.equal(rest);
    expect([left.isClosed(), rest[0].isClosed(), rest[1].isClosed()]).to.deep.equal([true, false, false]);
  });

  it('loses none where the counts fail', () => {
    const failing = openSync('/', 'r');
    const errors: unknown[] = [];
    const owner = { onFault: (error: unknown) => errors.push(error) };
    const without = new ConnectionPlacement<FakeWorker>(new ConnectionCounts(failing, places, owner), owner);
    const [from, other] = [new FakeWorker(), new FakeWorker()];
    for (const worker of [from, other]) {
      without.add(worker, without.free() ?? -1);
      without.changed(worker);
    }
    const handed = connection();
    without.handedOver(from, handed);
    without.takes(other);
    closeSync(failing);
    expect([...from.got, ...other.got]).to.deep.equal([handed]);
    expect(errors).to.have.length(1);
  });

  it('has a place for each worker, and none for one too many', async () => {
    const workers = serving(7, 0, 0, 0);
    expect(placement.free()).to.equal(undefined);
    workers[0]?.end();
    await until(() => placement.free() === 0, 'a place is free');
    placement.add(new FakeWorker(), 0);
    counts.read();
    expect(counts.openOf(0), 'what the one before had').to.equal(0);
  });
});
