import type { LookupFunction } from 'node:net';
import { expect } from 'chai';
import { sharing } from './shared-lookups.ts';

describe('lookups that are shared', () => {
  it('query a name once for all concurrent calls, and again afterwards', async () => {
    const requested: { readonly name: string; readonly response: Parameters<LookupFunction>[2] }[] = [];
    const lookup = sharing((name, _options, response) => requested.push({ name, response }));
    const got: unknown[] = [];
    const take = (...result: unknown[]) => got.push(result);
    lookup('a.test', { all: true }, take);
    lookup('a.test', { all: true }, take);
    lookup('a.test', { family: 4 }, take);
    lookup('b.test', { all: true }, take);
    expect(requested.map(({ name }) => name)).to.deep.equal(['a.test', 'a.test', 'b.test']);
    requested[0]?.response(null, [{ address: '192.0.2.1', family: 4 }]);
    await Promise.resolve();
    expect(got).to.deep.equal(Array(2).fill([null, [{ address: '192.0.2.1', family: 4 }]]));
    lookup('a.test', { all: true }, take);
    expect(requested).to.have.length(4);
  });

  it('passes on what the lookup throws, and keeps nothing of it', () => {
    const lookup = sharing(() => {
      throw new TypeError('no name');
    });
    for (let times = 0; times < 2; times += 1) expect(() => lookup('', {}, () => {})).to.throw('no name');
  });
});
