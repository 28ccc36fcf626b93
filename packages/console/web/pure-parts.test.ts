import { expect } from 'chai';
import { asRegistered, differencesOf } from './definition-diff.ts';
import { formatBytes, formatDuration, formatMs, formatPercent, formatRate, formatTime } from './format.ts';
import { FigureHistory, FigureRing, sparkPoints } from './history-ring.ts';
import { hashOf, readHash } from './route-hash.ts';

describe('figures of the console', () => {
  for (const [shown, expected] of [
    [formatRate(0), '0'],
    [formatRate(0.123), '0.12'],
    [formatRate(12.34), '12.3'],
    [formatRate(999), '999'],
    [formatRate(12_345), '12.3k'],
    [formatMs(null), '–'],
    [formatMs(undefined), '–'],
    [formatMs(0.912), '0.91 ms'],
    [formatMs(1_500), '1.5 s'],
    [formatPercent(0), '0 %'],
    [formatPercent(0.01), '< 0.1 %'],
    [formatPercent(33.333), '33.3 %'],
    [formatBytes(0), '0 B'],
    [formatBytes(999), '999 B'],
    [formatBytes(1_234_567), '1.2 MB'],
    [formatDuration(0), '0 s'],
    [formatDuration(-5), '0 s'],
    [formatDuration(59_400), '59 s'],
    [formatDuration(3_600_000), '1 h'],
    [formatDuration(90_061_000), '1 d 1 h'],
    [formatTime(undefined), '–'],
    [formatTime('2026-11-28T10:00:00.123Z'), '2026-11-28 10:00:00 UTC'],
    [formatTime('soon'), 'soon'],
  ] as const)
    it(`are written ${expected}`, () => {
      expect(shown).to.equal(expected);
    });
});

describe('the difference of two definitions', () => {
  const before = {
    service: 'a',
    updatedAt: '1',
    destinations: [{ index: 0, since: 1, servicePath: ['/a'], port: 80 }],
  };

  it('names each label that changes, with both values', () => {
    const after = {
      ...before,
      updatedAt: '2',
      destinations: [{ index: 0, since: 2, servicePath: ['/a', '/b'], users: 'x' }],
    };
    expect(differencesOf(before, after)).to.deep.equal([
      { path: 'destinations.0.port', before: '80', after: undefined },
      { path: 'destinations.0.servicePath', before: '["/a"]', after: '["/a","/b"]' },
      { path: 'destinations.0.users', before: undefined, after: '"x"' },
    ]);
  });

  it('is nothing where only the registry’s own fields differ', () => {
    expect(differencesOf(before, { ...before, updatedAt: '2' })).to.deep.equal([]);
  });

  it('is nothing where only what an author may leave out is left out', () => {
    const given = { service: 'a', destinations: [{ servicePath: ['/a'], port: 80 }] };
    expect(differencesOf({ ...before, owner: 'manual' }, asRegistered(given, 'manual'))).to.deep.equal([]);
    const moved = asRegistered({ ...given, owner: 'x', destinations: [{ index: 3, port: 80 }] }, 'manual');
    expect([moved.owner, moved.destinations]).to.deep.equal(['x', [{ index: 3, port: 80 }]]);
    expect(asRegistered({ service: 'a', destinations: 'x' }, 'manual')).to.include({
      owner: 'manual',
      destinations: 'x',
    });
  });

  it('is everything where nothing stood before', () => {
    expect(differencesOf({}, { service: 'a' })).to.deep.equal([{ path: 'service', before: undefined, after: '"a"' }]);
  });
});

describe('the place in the console', () => {
  it('survives its way through the address', () => {
    const hash = hashOf('services', ['manual', 'a b/ü?#'], { url: 'http://a/?x=1&y=#z' });
    const { view, rest, query } = readHash(hash);
    expect([view, rest, query.get('url')]).to.deep.equal(['services', ['manual', 'a b/ü?#'], 'http://a/?x=1&y=#z']);
  });

  for (const [hash, view] of [
    ['', 'services'],
    ['#', 'services'],
    ['#/', 'services'],
    ['#/live?status=5xx', 'live'],
    ['#/%E0%A4%A', '%E0%A4%A'],
  ] as const)
    it(`${JSON.stringify(hash)} is ${view}`, () => {
      expect(readHash(hash).view).to.equal(view);
    });
});

describe('the rates that the console keeps', () => {
  it('are the last of each service, and of none that has left or had no request', () => {
    const history = new FigureHistory();
    for (let at = 1; at <= 70; at += 1)
      history.add(
        new Map([
          ['a', at],
          ['b', 0],
        ]),
      );
    expect([history.of('a').length, history.of('a')[0], history.of('a').at(-1)]).to.deep.equal([60, 11, 70]);
    expect(history.of('b')).to.deep.equal([]);
    history.add(new Map());
    expect(history.of('a')).to.deep.equal([]);
  });

  it('keep a service that has become quiet', () => {
    const history = new FigureHistory();
    history.add(new Map([['a', 1]]));
    history.add(new Map([['a', 0]]));
    expect(history.of('a')).to.deep.equal([1, 0]);
  });

  it('are drawn from left to right within their box', () => {
    expect(sparkPoints([1], 10, 10)).to.equal(undefined);
    expect(sparkPoints([0, 5, 10], 10, 12)).to.equal('0.0,11.0 5.0,6.0 10.0,1.0');
    expect(sparkPoints([0, 0], 10, 12)).to.equal('0.0,11.0 10.0,11.0');
    const ring = new FigureRing(2);
    for (const figure of [1, 2, 3]) ring.add(figure);
    expect(ring.figures).to.deep.equal([2, 3]);
  });
});
