import { expect } from 'chai';
import { createSignal } from './signal.ts';

describe('a signal', () => {
  const never = new AbortController().signal;

  it('ends a wait', async () => {
    const changed = createSignal();
    const waiting = changed.wait(Number.POSITIVE_INFINITY, never);
    changed.notify();
    await waiting;
  });

  it('is kept while nothing waits, and counts once', async () => {
    const changed = createSignal();
    changed.notify();
    changed.notify();
    await changed.wait(Number.POSITIVE_INFINITY, never);
    let isOver = false;
    const second = changed.wait(Number.POSITIVE_INFINITY, never).then(() => {
      isOver = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).to.equal(false);
    changed.notify();
    await second;
  });

  it('is not needed where the time is over or the signal aborts', async () => {
    const changed = createSignal();
    await changed.wait(1, never);
    const stopping = new AbortController();
    const waiting = changed.wait(Number.POSITIVE_INFINITY, stopping.signal);
    stopping.abort();
    await waiting;
    await changed.wait(Number.POSITIVE_INFINITY, stopping.signal);
  });
});
