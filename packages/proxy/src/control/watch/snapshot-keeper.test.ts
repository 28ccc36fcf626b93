import { createLogger } from '@swarmgate/runtime';
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
});
