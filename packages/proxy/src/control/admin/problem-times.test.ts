import type { Problem, ServiceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { atOnce } from '../steps.ts';
import { ProblemTimes } from './problem-times.ts';

const unknownLabel: Problem = {
  severity: 'warning',
  reason: 'label-unknown',
  message: 'no label is called x',
  label: 'x',
};
const taken: Problem = { severity: 'error', reason: 'route-conflict', message: 'another service has it' };

describe('the times of problems', () => {
  function rig() {
    let now = 0;
    const times = new ProblemTimes(() => new Date(now));
    return {
      times,
      pass() {
        now += 60_000;
      },
      sinceOf: (problems: Readonly<Record<ServiceKey, readonly Problem[]>>) =>
        [...atOnce(times.dated(new Map(Object.entries(problems) as [ServiceKey, Problem[]][])))].flatMap(
          ([key, dated]) => dated.map(({ since, reason }) => `${key} ${reason} ${since.slice(14, 16)}`),
        ),
    };
  }

  it('stay those at which the replica found each, of every service by itself', () => {
    const { sinceOf, pass } = rig();
    expect(sinceOf({ 'swarm/a': [unknownLabel] })).to.deep.equal(['swarm/a label-unknown 00']);
    pass();
    expect(sinceOf({ 'swarm/a': [taken, unknownLabel], 'swarm/b': [unknownLabel] })).to.deep.equal([
      'swarm/a route-conflict 01',
      'swarm/a label-unknown 00',
      'swarm/b label-unknown 01',
    ]);
  });

  it('begin again where a problem was solved and comes back', () => {
    const { times, sinceOf, pass } = rig();
    sinceOf({ 'swarm/a': [unknownLabel, taken] });
    pass();
    times.keepOnly(new Map([['swarm/a', [taken]]]));
    expect(sinceOf({ 'swarm/a': [unknownLabel, taken] })).to.deep.equal([
      'swarm/a label-unknown 01',
      'swarm/a route-conflict 00',
    ]);
  });
});
