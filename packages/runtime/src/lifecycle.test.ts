import { expect } from 'chai';
import { backoffMs, pause, stopAll } from './lifecycle.ts';

describe('lifecycle', () => {
  it('stops in reverse order, continues after a failure and reports it', async () => {
    const stopped: string[] = [];
    const part = (name: string, fails = false) => ({
      stop: async () => {
        stopped.push(name);
        if (fails) throw new Error(`${name} failed`);
      },
    });
    const failure = await stopAll([part('registry'), part('proxy', true), part('listener')]).catch(
      (error: unknown) => error,
    );
    expect(stopped).to.deep.equal(['listener', 'proxy', 'registry']);
    expect(failure).to.be.instanceOf(AggregateError);
  });

  it('ends a pause at once when the signal aborts', async () => {
    const stopping = new AbortController();
    const paused = pause(60_000, stopping.signal);
    stopping.abort();
    expect(await paused).to.equal(false);
    expect(await pause(60_000, stopping.signal)).to.equal(false);
    expect(await pause(0)).to.equal(true);
  });

  it('doubles the wait up to the most, never below half of it', () => {
    expect(backoffMs(0, 100, 2000, () => 1)).to.equal(100);
    expect(backoffMs(3, 100, 2000, () => 1)).to.equal(800);
    expect(backoffMs(50, 100, 2000, () => 1)).to.equal(2000);
    expect(backoffMs(50, 100, 2000, () => 0)).to.equal(1000);
  });
});
