import { expect } from 'chai';
import { guard, guardPromise } from './guard.ts';

describe('guard', () => {
  const faults: unknown[] = [];
  const owner = { onFault: (error: unknown) => faults.push(error) };
  const fault = new Error('broken');

  beforeEach(() => {
    faults.length = 0;
  });

  it('passes both arguments on and returns what the callback returns', () => {
    expect(guard(owner, (first: number, second: number) => first - second)(5, 3)).to.equal(2);
    expect(faults).to.deep.equal([]);
  });

  it('gives an error to the owner and returns undefined', () => {
    const guarded = guard(owner, (): number => {
      throw fault;
    });
    expect(guarded()).to.equal(undefined);
    expect(faults).to.deep.equal([fault]);
  });

  it('gives the owner what a promise rejects with', async () => {
    guardPromise(owner, Promise.resolve());
    guardPromise(owner, Promise.reject(fault));
    await new Promise(setImmediate);
    expect(faults).to.deep.equal([fault]);
  });
});
