import { expect } from 'chai';
import { guard, guardEach, guardOwned, guardPromise } from './guard.ts';

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

  it('finds the owner by the emitter, and gives it the argument and its own errors', () => {
    const seen: unknown[] = [];
    const owned = { owner };
    const listener = guardOwned(
      (emitter: { owner?: typeof owner }) => emitter.owner,
      (of: typeof owner, argument: number) => {
        seen.push(of, argument);
        if (argument > 1) throw fault;
      },
    );
    listener.call(owned, 1);
    listener.call(owned, 2);
    expect(seen).to.deep.equal([owner, 1, owner, 2]);
    expect(faults).to.deep.equal([fault]);
  });

  it('passes over the event of an emitter that has no owner any more', () => {
    const listener = guardOwned(
      (emitter: { owner?: typeof owner }) => emitter.owner,
      () => {
        throw fault;
      },
    );
    listener.call({});
    expect(faults).to.deep.equal([]);
  });

  it('gives an error to the owner of the argument that the callback failed with', () => {
    const failed: unknown[] = [];
    const ownerOf = (argument: number) => ({ onFault: (error: unknown) => failed.push(argument, error) });
    const guarded = guardEach(ownerOf, (argument: number) => {
      if (argument > 1) throw fault;
    });
    for (const argument of [1, 2, 1, 3]) guarded(argument);
    expect(failed).to.deep.equal([2, fault, 3, fault]);
  });

  it('gives the owner what a promise rejects with', async () => {
    guardPromise(owner, Promise.resolve());
    guardPromise(owner, Promise.reject(fault));
    await new Promise(setImmediate);
    expect(faults).to.deep.equal([fault]);
  });
});
