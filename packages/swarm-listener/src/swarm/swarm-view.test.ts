import { expect } from 'chai';
import { aNode, aService, aTask } from '../../test/swarm-fixtures.ts';
import {
  listedAgain,
  tasksDiffer,
  viewOf,
  withoutExpiredHints,
  withServices,
  withTasks,
  withTerminating,
} from './swarm-view.ts';

describe('the view of the Swarm', () => {
  const view = viewOf({ swarmId: 'swarm-1', services: [aService()], tasks: [aTask()], nodes: [aNode()], networks: [] });

  it('is as fresh as the newest object in the listing, whatever its kind', () => {
    expect(view.highestVersionIndex).to.equal(12);
    expect(withTasks(view, ['service-1'], [aTask({ versionIndex: 30 })]).highestVersionIndex).to.equal(30);
  });

  it('is no older for a listing without its newest service, which was removed', () => {
    const left = { swarmId: 'swarm-1', services: [], tasks: [], nodes: [aNode()], networks: [] };
    expect(viewOf(left).highestVersionIndex).to.be.below(12);
    expect(listedAgain(view, left).highestVersionIndex).to.equal(12);
    expect(listedAgain(view, left).services.size).to.equal(0);
    expect(listedAgain(view, { ...left, swarmId: 'swarm-2' }).highestVersionIndex).to.be.below(12);
  });

  it('loses a service that Docker no longer has, with its tasks', () => {
    const next = withServices(view, new Map([['service-1', undefined]]), []);
    expect([...next.services.keys(), ...next.tasks.keys()]).to.deep.equal([]);
  });

  it('keeps the newer one of two responses about a service', () => {
    const older = withServices(view, new Map([['service-1', aService({ versionIndex: 9, name: 'old' })]]), []);
    expect(older.services.get('service-1')?.name).to.equal('go-demo');
  });

  it('is never changed in place', () => {
    withServices(view, new Map([['service-1', undefined]]), []);
    withTerminating(view, 'task-1', 5);
    expect(view.services.size).to.equal(1);
    expect(view.terminating.size).to.equal(0);
  });

  it('drops the hint that a container terminates after its time', () => {
    const hinted = withTerminating(view, 'task-1', 1_000);
    expect(withoutExpiredHints(hinted, 999)).to.equal(hinted);
    expect(withoutExpiredHints(hinted, 1_000).terminating.size).to.equal(0);
  });

  it('distinguishes tasks that differ in state, not those that differ in order', () => {
    const [one, two] = [aTask({ id: 'a' }), aTask({ id: 'b' })];
    expect(tasksDiffer([one, two], [two, one])).to.equal(false);
    expect(tasksDiffer([one, two], [one, { ...two, desiredState: 'shutdown' }])).to.equal(true);
    expect(tasksDiffer([one, two], [one, { ...two, state: 'failed' }])).to.equal(true);
  });
});
