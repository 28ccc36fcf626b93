import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { startPublisher } from '../../test/running-publisher.ts';
import { aService, aTask } from '../../test/swarm-fixtures.ts';

describe('a service that does not fit into the registry', () => {
  const { publisher, desire, read, stop } = startPublisher();
  after(stop);

  const pathOf = async (service: string) => {
    const stored = (await read()).services.get(`swarm/${service}`);
    return stored?.ok ? stored.document.destinations[0]?.servicePath?.[0] : undefined;
  };
  const problems = async () => (await read()).labelProblems.get('swarm/big') ?? [];
  const isReported = async () => (await problems()).some(({ reason }) => reason === 'registry-refused');
  let version = 10;
  const service = (name: string, path: string) =>
    aService({ id: name, name, versionIndex: version++, labels: { ...aService().labels, 'com.df.servicePath': path } });
  // Each has an address of its own: together more than the registry takes in a transaction.
  const many = Array.from({ length: 6_000 }, (_, n) => {
    const addresses = [`10.0.${n >> 8}.${n & 255}/16`];
    const attachments = [{ networkId: 'net-1', networkName: 'proxy', ingress: false, addresses }];
    return aTask({ id: `a-task-with-the-length-of-an-identifier-${n}`, serviceId: 'big', attachments });
  });

  it('is a problem that its owner can read, keeps what it had, and holds up no other', async () => {
    desire([service('big', '/one'), service('small', '/small')]);
    await until('both are there', async () => (await pathOf('big')) === '/one' && (await pathOf('small')) === '/small');
    desire([service('big', '/two'), service('small', '/smaller'), service('other', '/other')], many);
    await until('it is reported', isReported);
    const [problem] = await problems();
    expect(problem).to.include({ severity: 'error', reason: 'registry-refused' });
    expect(problem?.message).to.match(/stays as it was: .*more than fits/);
    await until('the others are written', async () => {
      return (await pathOf('small')) === '/smaller' && (await pathOf('other')) === '/other';
    });
    expect(await pathOf('big')).to.equal('/one');
  });

  it('stays one as long as nothing changes, also where it alone is written', async () => {
    const before = publisher.status().publications;
    desire([service('big', '/two'), service('small', '/smaller'), service('other', '/other')], many);
    await until('it was tried again', () => publisher.status().publications > before);
    expect(await isReported()).to.equal(true);
    expect(await pathOf('big')).to.equal('/one');
    expect(publisher.status()).to.not.have.property('failure');
  });

  it('is written once it fits, and the problem goes with it', async () => {
    desire([service('big', '/two'), service('small', '/smaller'), service('other', '/other')], many.slice(0, 100));
    await until('it is written', async () => (await pathOf('big')) === '/two');
    await until('its problem is gone', async () => (await problems()).length === 0);
  });
});
