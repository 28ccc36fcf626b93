import { expect } from 'chai';
import { until } from './until.ts';

describe('until', () => {
  it('returns the first value that is neither undefined nor false', async () => {
    const values = [undefined, false, 0];
    expect(await until('a value', () => values.shift())).to.equal(0);
  });

  it('takes an exception for "not yet"', async () => {
    let looks = 0;
    const look = () => {
      looks += 1;
      if (looks < 3) throw new Error('not there');
      return 'there';
    };
    expect(await until('it is there', look)).to.equal('there');
  });

  it('names what was awaited, and why the last look failed, when time is over', async () => {
    const look = () => {
      throw new Error('connection refused');
    };
    const error = await until('the port responds', look, { withinMs: 5 }).catch((caught: unknown) => caught as Error);
    expect(error).to.have.property('message', 'not within 5 ms: the port responds');
    expect(error).to.have.nested.property('cause.message', 'connection refused');
  });
});
