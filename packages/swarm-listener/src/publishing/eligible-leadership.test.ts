import type { Leadership, LeadershipState } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { type EligibleLeadership, leadWhileEligible } from './eligible-leadership.ts';

describe('leadership while eligible', () => {
  // Stands for a contest that is won at once and released when we say so: the real one takes its own time for both.
  let contests: { released: boolean; release: () => void }[];
  let leadership: EligibleLeadership;
  let heard: string[];

  const contend = (): Leadership => {
    const listeners = new Set<(state: LeadershipState) => void>();
    let state: LeadershipState = {
      kind: 'leading',
      fence: { key: 'k', session: String(contests.length) },
      signal: new AbortController().signal,
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    const contest = { released: false, release: resolve };
    contests.push(contest);
    return {
      state: () => state,
      onChange(listener) {
        listeners.add(listener);
        listener(state);
        return () => listeners.delete(listener);
      },
      async stop() {
        await promise;
        contest.released = true;
        state = { kind: 'standby' };
        for (const listener of listeners) listener(state);
      },
    };
  };

  beforeEach(() => {
    contests = [];
    heard = [];
    leadership = leadWhileEligible(contend, silentLogger);
    leadership.onChange(({ kind }) => heard.push(kind));
  });

  it('contends only once it is eligible', () => {
    expect(contests).to.have.length(0);
    leadership.setEligible(true);
    leadership.setEligible(true);
    expect(contests).to.have.length(1);
    expect(heard).to.deep.equal(['standby', 'leading']);
  });

  it('releases the lock when it is not eligible, and contends again afterwards', async () => {
    leadership.setEligible(true);
    leadership.setEligible(false);
    leadership.setEligible(true);
    expect(contests).to.have.length(1);
    contests[0]?.release();
    await until('the second contest', () => contests.length === 2);
    expect(heard).to.deep.equal(['standby', 'leading', 'standby', 'leading']);
  });

  it('releases the lock when it is stopped, and never contends again', async () => {
    leadership.setEligible(true);
    const stopped = leadership.stop();
    contests[0]?.release();
    await stopped;
    leadership.setEligible(false);
    leadership.setEligible(true);
    expect(contests.map(({ released }) => released)).to.deep.equal([true]);
    expect(leadership.state().kind).to.equal('standby');
  });
});
