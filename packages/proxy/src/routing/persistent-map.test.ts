import { expect } from 'chai';
import { LengthIndex } from './length-index.ts';
import { PersistentMap } from './persistent-map.ts';

describe('PersistentMap', () => {
  it('holds what a native map holds, through growth and removal', () => {
    let map = PersistentMap.empty<number>();
    const edit = {};
    for (let at = 0; at < 5000; at += 1) map = map.set(`service-${at}`, at, edit);
    for (let at = 0; at < 5000; at += 2) map = map.set(`service-${at}`, undefined, {});
    expect(map.size).to.equal(2500);
    expect([map.get('service-1'), map.get('service-2'), map.get('service-4999')]).to.deep.equal([1, undefined, 4999]);
    expect([...map.values()].reduce((sum, value) => sum + value, 0)).to.equal(6_250_000);
    expect([...map.keys()]).to.have.length(2500);
  });

  it('never changes a map that another change made', () => {
    const before = PersistentMap.empty<number>().set('a', 1, {});
    const after = before.set('a', 2, {}).set('b', 3, {});
    expect([before.get('a'), before.get('b'), before.size]).to.deep.equal([1, undefined, 1]);
    expect([after.get('a'), after.get('b'), after.size]).to.deep.equal([2, 3, 2]);
  });

  it('is the same map when a missing key is removed', () => {
    const map = PersistentMap.empty<number>().set('a', 1, {});
    expect(map.set('b', undefined, {})).to.equal(map);
  });
});

describe('LengthIndex', () => {
  it('lists the lengths that occur, longest first', () => {
    const edit = {};
    let index = LengthIndex.empty<number>();
    for (const text of ['bb', 'a', 'cc', 'dddd']) index = index.set(text, 1, edit);
    expect(index.lengths.map(({ length }) => length)).to.deep.equal([4, 2, 1]);
    index = index.set('bb', undefined, edit).set('dddd', undefined, edit).set('a', 2, edit);
    expect(index.lengths.map(({ length }) => length)).to.deep.equal([2, 1]);
    expect([index.get('cc'), index.get('bb'), index.size]).to.deep.equal([1, undefined, 2]);
  });
});
