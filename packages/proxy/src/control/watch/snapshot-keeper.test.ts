import { createLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { SnapshotKeeper, untilNextWriteMs } from './snapshot-keeper.ts';

const snapshot = { registryId: 'r', revision: 'r:1', sequence: 1, services: [] };

describe('keeping the snapshot', () => {
  const waits = [
    [300, 2_000],
    [5_000, 5_000],
    [100_000, 10_000],
  ] as const;
  for (const [services, waitMs] of waits) {
    it(`waits ${waitMs} ms for the next write of ${services} services`, () => {
      expect(untilNextWriteMs(2_000, services)).to.equal(waitMs);
    });
  }

  it('writes the last state of many, and at the end what is not written yet', async () => {
    const written: number[] = [];
    const keeper = new SnapshotKeeper({
      logger: createLogger({ level: 'silent' }),
      debounceMs: 60_000,
      write: async ({ sequence }) => {
        written.push(sequence);
      },
    });
    for (const sequence of [1, 2, 3]) keeper.keep(() => ({ ...snapshot, sequence }));
    await keeper.flush();
    await keeper.flush();
    expect(written).to.deep.equal([3]);
  });

  it('tries again by itself what the disk refused, tells why until then, and stops with what is left', async () => {
    let refused = 0;
    let isFull = true;
    const written: number[] = [];
    const keeper = new SnapshotKeeper({
      logger: createLogger({ level: 'silent' }),
      debounceMs: 0,
      betweenRetriesMs: 1,
      write: async ({ sequence }) => {
        if (isFull) {
          refused += 1;
          // A change during the write.
          if (refused === 1) keeper.keep(() => ({ ...snapshot, sequence: 2 }));
          throw new Error('no space left on device');
        }
        written.push(sequence);
      },
    });
    expect(keeper.refusal()).to.equal(undefined);
    keeper.keep(() => ({ ...snapshot, sequence: 1 }));
    await until('it was tried again', () => refused >= 3);
    expect(keeper.refusal()).to.equal('no space left on device');
    isFull = false;
    await until('it is written', () => written.length > 0);
    expect(written).to.deep.equal([2]);
    expect(keeper.refusal()).to.equal(undefined);
    isFull = true;
    keeper.keep(() => ({ ...snapshot, sequence: 3 }));
    const before = refused;
    await keeper.stop();
    expect(refused).to.equal(before + 1);
  });

  it('counts a write that hangs as refused, until it ends', async () => {
    const hanging = Promise.withResolvers<void>();
    const keeper = new SnapshotKeeper({
      logger: createLogger({ level: 'silent' }),
      debounceMs: 0,
      longestWriteMs: 5,
      write: () => hanging.promise,
    });
    keeper.keep(() => snapshot);
    await until('it is reported', () => keeper.refusal() === 'the disk does not respond');
    hanging.resolve();
    await until('it is over', () => keeper.refusal() === undefined);
  });
});
