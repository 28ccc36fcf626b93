import { expect } from 'chai';
import { SharedEjections } from './shared-ejections.ts';

describe('ejections that workers share', () => {
  it('are reported to a worker that starts, for as long as they last', () => {
    let nowMs = 0;
    const ejections = new SharedEjections(() => nowMs);
    ejections.add({ kind: 'ejected', endpointId: 'one', forMs: 2_000, ejections: 1 });
    ejections.add({ kind: 'ejected', endpointId: 'other', forMs: 500, ejections: 1 });
    nowMs = 600;
    expect(ejections.inForce()).to.deep.equal([{ kind: 'ejected', endpointId: 'one', forMs: 1_400, ejections: 1 }]);
    nowMs = 2_000;
    expect(ejections.inForce()).to.deep.equal([]);
  });
});
