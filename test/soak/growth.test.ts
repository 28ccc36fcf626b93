import { expect } from 'chai';
import { growthOf, type Sample } from './growth.ts';

const samplesOf = (page: (at: number) => number): readonly Sample[] =>
  Array.from({ length: 50 }, (_, at) => ({ atMs: at * 10_000, process: 0, rss: 0, nodes: 0, page: page(at) }));

describe('the growth of memory in a soak', () => {
  it('is none where memory goes up and down around the same value, whatever one sample was', () => {
    const { early, late } = growthOf(
      samplesOf((at) => 100 + (at % 3) + (at === 45 ? 500 : 0)),
      'page',
    );
    expect(late - early).to.equal(0);
  });

  it('is found where every sample is a little more than the last, and the start does not count', () => {
    const { early, late } = growthOf(
      samplesOf((at) => (at < 5 ? 0 : 100 + at)),
      'page',
    );
    expect([early, late]).to.deep.equal([115, 145]);
  });
});
