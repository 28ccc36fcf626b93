import { expect } from 'chai';
import { descriptors, memory, ResourceProblems } from './resource-problems.ts';

describe('problems of resources', () => {
  it('begin near the limit, stay while the use goes up and down, and end well below it', () => {
    let usedBytes = 0;
    const watch = new ResourceProblems([memory(() => ({ usedBytes, limitBytes: 100 * 2 ** 20 }))]);
    const reasons = [0.5, 0.89, 0.9, 0.85, 0.99, 0.81, 0.79, 0.85].map((share) => {
      usedBytes = share * 100 * 2 ** 20;
      return [...watch.problems().values()].flat().map(({ reason }) => reason);
    });
    const low = ['memory-low'];
    expect(reasons).to.deep.equal([[], [], low, low, low, low, [], []]);
  });

  it('are none without a limit', () => {
    const watch = new ResourceProblems([memory(() => undefined), descriptors(undefined, () => 1)]);
    expect(watch.problems().size).to.equal(0);
  });

  it('report clients that use nearly all connections that descriptors allow', () => {
    const watch = new ResourceProblems([descriptors(1_048_576, () => 0.95)]);
    expect([...watch.problems().keys()]).to.deep.equal(['env/descriptors']);
  });
});
