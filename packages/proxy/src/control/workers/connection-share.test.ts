import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { ConnectionCounts, createCountsFile } from './connection-counts.ts';
import { ConnectionShare } from './connection-share.ts';

const owner = {
  onFault(error: unknown) {
    throw error;
  },
};

describe('the share of a worker in all connections', () => {
  const places = 4;
  let fd: number;
  let counts: ConnectionCounts;
  let handed: number;
  let nowMs: number;
  let share: ConnectionShare;

  beforeEach(() => {
    fd = createCountsFile(places) ?? -1;
    counts = new ConnectionCounts(fd, places, owner);
    handed = 0;
    nowMs = 0;
    share = new ConnectionShare({
      counts: new ConnectionCounts(fd, places, owner),
      place: 0,
      handOver: () => {
        handed += 1;
        return true;
      },
      owner,
      now: () => nowMs,
    });
  });
  afterEach(() => closeSync(fd));

  const othersHave = (...open: readonly number[]) => {
    for (const [at, each] of open.entries()) {
      counts.writeOfWorker(at + 1, each, 0);
      counts.writeOfControl(at + 1, 0, true);
    }
  };
  const openOwn = (count: number) => {
    for (let at = 0; at < count; at += 1) share.opened();
  };
  const keeps = () => share.keeps(new Socket(), 80);

  const cases = [
    { own: 0, others: [0, 0, 0], kept: true, why: 'none has any' },
    { own: 1, others: [0, 0, 0], kept: false, why: 'others have none' },
    { own: 1, others: [1, 1, 1], kept: true, why: 'all have as many' },
    { own: 2, others: [2, 2, 1], kept: false, why: 'it would have two more than another' },
    { own: 100, others: [95, 95, 95], kept: true, why: 'it is within a tenth of the mean' },
    { own: 120, others: [95, 95, 95], kept: false, why: 'it is more than a tenth above the mean' },
    { own: 5, others: [], kept: true, why: 'no other worker serves' },
  ] as const;
  for (const { own, others, kept, why } of cases)
    it(`${kept ? 'keeps' : 'hands over'} one more than ${own} beside ${others.join(', ') || 'none'}: ${why}`, () => {
      openOwn(own);
      othersHave(...others);
      expect(keeps()).to.equal(kept);
      expect(handed).to.equal(kept ? 0 : 1);
    });

  it('counts connections that are on their way to another worker', () => {
    openOwn(1);
    othersHave(0);
    counts.writeOfControl(1, 1, true);
    expect(keeps()).to.equal(true);
    counts.writeOfWorker(1, 0, 1);
    expect(keeps()).to.equal(false);
  });

  it('passes over workers that do not serve', () => {
    openOwn(3);
    othersHave(0, 3);
    counts.writeOfControl(1, 0, false);
    expect(keeps()).to.equal(true);
  });

  it('shows what it has open to the others, also after connections closed', async () => {
    openOwn(3);
    counts.read();
    expect(counts.openOf(0)).to.equal(3);
    share.closed();
    share.closed();
    await new Promise((resolve) => setImmediate(resolve));
    counts.read();
    expect(counts.openOf(0)).to.equal(1);
  });

  it('keeps every connection while they end within moments', () => {
    othersHave(0);
    openOwn(5);
    const passBriefly = () => {
      for (let at = 0; at < 100; at += 1) {
        share.opened();
        share.closed();
      }
      nowMs += 100;
      return keeps();
    };
    // Once, a moment may be one in which others closed.
    expect([passBriefly(), passBriefly()]).to.deep.equal([false, true]);
    // Nothing closed within the next window.
    nowMs += 100;
    expect(keeps()).to.equal(false);
  });

  it('hands over right after many have closed at once', () => {
    othersHave(0);
    openOwn(300);
    nowMs = 100;
    expect(keeps()).to.equal(false);
    for (let at = 0; at < 290; at += 1) share.closed();
    nowMs = 300;
    expect(keeps()).to.equal(false);
  });

  it('keeps a connection that cannot be handed over', () => {
    const alone = new ConnectionShare({ counts, place: 0, handOver: () => false, owner, now: () => nowMs });
    for (let at = 0; at < 5; at += 1) alone.opened();
    othersHave(0);
    expect(alone.keeps(new Socket(), 80)).to.equal(true);
  });
});

describe('the file that counts connections', () => {
  it('costs no connection where it fails: each is kept, and the error is reported once', () => {
    // Neither read nor written: a directory.
    const fd = openSync('/', 'r');
    const faults: unknown[] = [];
    const failing = { onFault: (error: unknown) => faults.push(error) };
    const counts = new ConnectionCounts(fd, 4, failing);
    counts.writeOfControl(1, 0, true);
    const share = new ConnectionShare({ counts, place: 0, handOver: () => true, owner: failing });
    for (let at = 0; at < 9; at += 1) {
      expect(share.keeps(new Socket(), 80)).to.equal(true);
      share.opened();
    }
    share.took();
    closeSync(fd);
    expect(counts.isUsable).to.equal(false);
    expect(faults).to.have.length(1);
  });

  it('spreads nothing from what was read before it failed', () => {
    const faults: unknown[] = [];
    const fd = createCountsFile(2) ?? -1;
    const counts = new ConnectionCounts(fd, 2, { onFault: (error) => faults.push(error) });
    counts.writeOfControl(1, 0, true);
    const share = new ConnectionShare({ counts, place: 0, handOver: () => true, owner, now: () => 0 });
    for (let at = 0; at < 9; at += 1) share.opened();
    expect(share.keeps(new Socket(), 80)).to.equal(false);
    closeSync(fd);
    expect(share.keeps(new Socket(), 80)).to.equal(true);
    expect(faults).to.have.length(1);
  });

  it('is not touched after it was closed: its descriptor may be another file’s', () => {
    const counts = new ConnectionCounts(createCountsFile(2) ?? -1, 2, owner);
    counts.close();
    counts.read();
    counts.writeOfControl(0, 1, true);
    expect(counts.isUsable).to.equal(false);
  });

  it('is left out where no directory takes it', () => {
    expect(createCountsFile(2, ['/nonexistent'])).to.equal(undefined);
  });
});
