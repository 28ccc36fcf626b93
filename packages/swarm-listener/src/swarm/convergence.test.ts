import { expect } from 'chai';
import { aService, aTask } from '../../test/swarm-fixtures.ts';
import { isConverged } from './convergence.ts';

describe('convergence of a service', () => {
  const two = aService({ mode: { kind: 'replicated', replicas: 2 } });
  const running = (id: string) => aTask({ id });
  const cases = [
    ['as many running tasks as needed', two, [running('a'), running('b')], true],
    ['a task too few', two, [running('a')], false],
    ['a task that still starts', two, [running('a'), aTask({ id: 'b', state: 'starting' })], false],
    ['a task that still stops', two, [running('a'), running('b'), aTask({ id: 'c', desiredState: 'shutdown' })], false],
    [
      'a task that ended long ago',
      two,
      [running('a'), running('b'), aTask({ id: 'c', desiredState: 'shutdown', state: 'shutdown' })],
      true,
    ],
    ['a rolling update under way', { ...two, updateState: 'updating' }, [running('a'), running('b')], false],
    ['a rollback under way', { ...two, updateState: 'rollback_started' }, [running('a'), running('b')], false],
    ['a paused update', { ...two, updateState: 'paused' }, [running('a'), running('b')], true],
    ['a global service whose tasks all run', aService({ mode: { kind: 'global' } }), [running('a')], true],
    ['scaled to nothing', aService({ mode: { kind: 'replicated', replicas: 0 } }), [], true],
  ] as const;
  for (const [what, service, tasks, expected] of cases) {
    it(`${expected ? 'holds' : 'does not hold'} with ${what}`, () => {
      expect(isConverged(service, tasks)).to.equal(expected);
    });
  }
});
