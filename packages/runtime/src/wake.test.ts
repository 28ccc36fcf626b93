import { expect } from 'chai';
import { createWake } from './wake.ts';

describe('a wake', () => {
  const never = new AbortController().signal;

  it('ends a wait', async () => {
    const wake = createWake();
    const waiting = wake.wait(Number.POSITIVE_INFINITY, never);
    wake.wake();
    await waiting;
  });

  it('is not lost while nobody waits, and counts once', async () => {
    const wake = createWake();
    wake.wake();
    wake.wake();
    await wake.wait(Number.POSITIVE_INFINITY, never);
    let isOver = false;
    const second = wake.wait(Number.POSITIVE_INFINITY, never).then(() => {
      isOver = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).to.equal(false);
    wake.wake();
    await second;
  });

  it('is not needed where the time is over or the signal aborts', async () => {
    const wake = createWake();
    await wake.wait(1, never);
    const stopping = new AbortController();
    const waiting = wake.wait(Number.POSITIVE_INFINITY, stopping.signal);
    stopping.abort();
    await waiting;
    await wake.wait(Number.POSITIVE_INFINITY, stopping.signal);
  });
});
