import { expect } from 'chai';
import { exampleRoute } from './example-route.ts';
import { ServiceStates } from './service-states.ts';
import type { Problem, RowNumbers, StateRoute } from './types.ts';

const route: (service: string) => StateRoute = exampleRoute;
const numbers: RowNumbers = { requestsPerSecond: 1, errorsPercent: 0, p50Ms: 1, p99Ms: 2 };
const problem: Problem = { owner: 'swarm', service: 'a', severity: 'error', reason: 'label-unknown', message: '' };

describe('the state of services in the page', () => {
  it('is a line for each that has routes, figures or problems, as long as it has any', () => {
    const states = new ServiceStates();
    states.setRoutes('swarm/a', [route('a')]);
    states.setNumbers('swarm/b', numbers);
    states.setProblems('swarm/c', [problem]);
    expect(states.rows().map(({ key }) => key)).to.deep.equal(['swarm/a', 'swarm/b', 'swarm/c']);
    states.setProblems('swarm/a', [problem]);
    states.setRoutes('swarm/a', null);
    states.setNumbers('swarm/b', null);
    expect(states.rows().map(({ key }) => key)).to.deep.equal(['swarm/a', 'swarm/c']);
  });

  it('makes only the lines again that changed', () => {
    const states = new ServiceStates();
    for (const name of ['a', 'b']) states.setRoutes(`swarm/${name}`, [route(name)]);
    const before = states.rows();
    expect(states.rows()).to.equal(before);
    states.setNumbers('swarm/b', numbers);
    const after = states.rows();
    expect(after[0]).to.equal(before[0]);
    expect(after[1]).to.not.equal(before[1]);
    expect(after[1]?.numbers).to.equal(numbers);
  });

  it('gives the same list of problems until one changes', () => {
    const states = new ServiceStates();
    states.setProblems('swarm/a', [problem]);
    const before = states.problems();
    states.setNumbers('swarm/a', numbers);
    expect(states.problems()).to.equal(before).and.to.deep.equal([problem]);
    states.setProblems('swarm/a', null);
    expect(states.problems()).to.deep.equal([]);
  });
});
