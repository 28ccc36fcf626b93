import { expect } from 'chai';
import { aNode, aService, aTask } from '../../test/swarm-fixtures.ts';
import type { Observation } from '../swarm/observation.ts';
import type { SwarmService, SwarmTask } from '../swarm/swarm-objects.ts';
import { viewOf } from '../swarm/swarm-view.ts';
import type { TranslatedService } from './translate-service.ts';
import { createTranslator, type Translator } from './translator.ts';

const now = new Date('2026-01-02T03:04:05Z');

describe('the translator', () => {
  let reported: TranslatedService[];
  let skipped: string[];
  let translator: Translator;
  beforeEach(() => {
    reported = [];
    skipped = [];
    const options = { notifyLabel: 'com.df.notify', serviceNamePrefix: '', owner: 'swarm', separator: ',' };
    translator = createTranslator(options, {
      onProblems: (service) => reported.push(service),
      onSkipped: (service, selection) => skipped.push(`${service.name} ${selection}`),
    });
  });

  const seen = (
    services: readonly SwarmService[],
    tasks: readonly SwarmTask[] = [],
    changed: Observation['changed'] = 'all',
  ) => {
    const networks = [{ id: 'net-1', name: 'proxy', ingress: false }];
    const view = viewOf({ swarmId: 'swarm-1', services, tasks, nodes: [aNode()], networks });
    return translator.take({ view, changed, cause: 'listing' }, now);
  };

  it('makes a definition that names its source', () => {
    const service = seen([aService()], [aTask()]).services.get('go-demo');
    expect(service?.definition).to.deep.include({
      service: 'go-demo',
      owner: 'swarm',
      updatedAt: '2026-01-02T03:04:05.000Z',
      source: { kind: 'swarm', swarmId: 'swarm-1', serviceId: 'service-1', versionIndex: 10 },
    });
    expect(service?.endpoints.tasks).to.have.length(1);
    expect(service?.problems).to.deep.equal([]);
  });

  it('names the old and the new name of a service that changed', () => {
    const stack = { 'com.docker.stack.namespace': 'shop', 'com.df.notify': 'true' };
    seen([aService({ name: 'shop_web', labels: stack })]);
    const short = aService({ name: 'shop_web', versionIndex: 11, labels: { ...stack, 'com.df.shortName': 'true' } });
    const { changed, services } = seen([short], [], new Set(['service-1']));
    expect([...(changed as ReadonlySet<string>)]).to.have.members(['shop_web', 'web']);
    expect([...services.keys()]).to.deep.equal(['web']);
  });

  it('makes a problem of a notify label that is no boolean, and keeps the registered definition', () => {
    const labels = { 'com.df.notify': 'yes', 'com.df.servicePath': '/', 'com.df.port': '80' };
    const service = seen([aService({ labels })], [aTask()]).services.get('go-demo');
    expect(service?.definition).to.equal(undefined);
    expect(service?.endpoints.tasks).to.have.length(1);
    expect(service?.problems[0]).to.deep.include({ severity: 'error', label: 'notify', value: 'yes' });
    const off = aService({ versionIndex: 11, labels: { ...labels, 'com.df.notify': 'false' } });
    expect(seen([off]).services.size).to.equal(0);
  });

  it('reports why a service requests no routes, once for each of its versions', () => {
    const off = aService({ labels: { 'com.df.notify': 'false' } });
    const unlabelled = aService({ id: 'service-2', name: 'db', labels: {} });
    for (let listing = 0; listing < 3; listing += 1) seen([off, unlabelled]);
    expect(skipped).to.deep.equal(['go-demo label-false', 'db label-missing']);
    seen([{ ...off, versionIndex: 11, mode: { kind: 'job' }, labels: { 'com.df.notify': 'true' } }]);
    expect(skipped.at(-1)).to.equal('go-demo job');
  });

  it('drops a service whose label was removed', () => {
    seen([aService()]);
    const { changed, services } = seen([aService({ labels: {}, versionIndex: 11 })], [], new Set(['service-1']));
    expect([...(changed as ReadonlySet<string>)]).to.deep.equal(['go-demo']);
    expect(services.size).to.equal(0);
  });

  it('translates the labels of an unchanged service once, and its endpoints whenever they move', () => {
    const before = seen([aService()], [aTask()]).services.get('go-demo');
    expect(seen([aService()], [aTask()]).services.get('go-demo')).to.equal(before);
    const after = seen([aService()], [aTask({ desiredState: 'shutdown' })]).services.get('go-demo');
    expect(after?.definition).to.equal(before?.definition);
    expect(after?.endpoints.tasks[0]?.state).to.equal('draining');
  });

  it('reports problems once, not with every observation', () => {
    const bad = aService({ labels: { ...aService().labels, 'com.df.port': 'http' } });
    expect(seen([bad]).services.get('go-demo')?.definition).to.equal(undefined);
    seen([bad]);
    expect(reported.map(({ problems }) => problems[0]?.label)).to.deep.equal(['port']);
  });

  it('gives a name that two stacks shorten to the same to the older service, with a problem', () => {
    const labels = (stack: string) => ({
      ...aService().labels,
      'com.docker.stack.namespace': stack,
      'com.df.shortName': 'true',
    });
    const older = aService({ id: 'z', name: 'a_web', labels: labels('a'), createdAt: '2026-01-01T00:00:00Z' });
    const newer = aService({ id: 'b', name: 'b_web', labels: labels('b'), createdAt: '2026-01-01T00:00:01Z' });
    for (const services of [
      [older, newer],
      [newer, older],
    ]) {
      const winner = seen(services).services.get('web');
      expect(winner?.serviceId).to.equal('z');
      expect(winner?.problems[0]).to.include({ reason: 'service-name-taken' });
      expect(winner?.problems[0]?.message).to.contain('b_web');
    }
  });

  it('makes a problem of serviceName, which cannot rename a Swarm service', () => {
    const service = aService({ labels: { ...aService().labels, 'com.df.serviceName': 'other' } });
    expect(seen([service]).services.get('go-demo')?.problems[0]).to.include({ label: 'serviceName', value: 'other' });
  });
});
