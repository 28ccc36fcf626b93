import { expect } from 'chai';
import { StreamPlaces } from './stream-places.ts';

describe('places of streams', () => {
  let nowMs: number;
  let places: StreamPlaces;
  let ended: string[];
  beforeEach(() => {
    nowMs = 0;
    ended = [];
    places = new StreamPlaces({ most: 4, keptMs: 60_000, now: () => nowMs });
  });
  const take = (name: string) => places.take(name[0] ?? '', () => ended.push(name));

  it('are so many, and one that is given back is free once', () => {
    const [first] = ['a1', 'b1', 'c1', 'd1'].map(take);
    expect(take('e1')).to.equal(undefined);
    first?.();
    first?.();
    expect(take('e1')).to.not.equal(undefined);
    expect(take('e2')).to.equal(undefined);
    expect(ended).to.deep.equal([]);
  });

  it('are kept for a minute, then go to new streams, the oldest first', () => {
    for (const name of ['a1', 'b1', 'c1', 'd1']) {
      take(name);
      nowMs += 1_000;
    }
    nowMs = 59_999;
    expect(take('e1')).to.equal(undefined);
    nowMs = 60_000;
    expect(take('e1')).to.not.equal(undefined);
    expect(take('e2')).to.equal(undefined);
    nowMs = 61_000;
    expect(take('e3')).to.not.equal(undefined);
    expect(ended).to.deep.equal(['a1', 'b1']);
  });

  it('are taken of the address with the most, however old the streams of others are', () => {
    for (const name of ['a1', 'b1', 'b2', 'b3']) take(name);
    nowMs = 60_000;
    take('c1');
    take('b4');
    expect(ended).to.deep.equal(['b1', 'b2']);
  });

  it('give nothing back for a stream whose place another has', () => {
    const releases = ['a1', 'b1', 'c1', 'd1'].map(take);
    nowMs = 60_000;
    take('e1');
    releases[0]?.();
    expect(take('e2')).to.not.equal(undefined);
    expect(ended).to.deep.equal(['a1', 'b1']);
  });
});
