import { expect } from 'chai';
import { StreamedState } from './streamed-state.ts';
import type { Certificate, MaintainedService, StateChanges } from './types.ts';

const maintained = (service: string): MaintainedService => ({
  owner: 'manual',
  service,
  published: true,
  maintenance: null,
  drains: [],
  ended: [],
});
const certificate = (name: string): Certificate => ({ name, hosts: [name], expiresAt: '2027-01-01', from: 'file' });
const documents = { definition: { updatedAt: '1' } };
const details = { numbers: null, endpointNumbers: [] };

function stateOf(...changes: readonly StateChanges[]): StreamedState {
  const state = new StreamedState();
  for (const each of changes) state.take(each);
  return state;
}

describe('the state that the stream has sent', () => {
  it('lists maintenance by owner and service, without what is gone', () => {
    const state = stateOf(
      { maintenance: { 'manual/b': maintained('b'), 'manual/a': maintained('a'), 'manual/c': maintained('c') } },
      { maintenance: { 'manual/b': null } },
    );
    expect(state.maintenance.map(({ service }) => service)).to.deep.equal(['a', 'c']);
    // The views are drawn again where the list is another one.
    const before = state.maintenance;
    state.take({ services: {} });
    expect(state.maintenance).to.equal(before);
  });

  it('has certificates once it is known whether any are ordered', () => {
    const state = stateOf({ certificates: { 'file/b': certificate('b'), 'file/a': certificate('a') } });
    expect(state.certificates).to.equal(undefined);
    state.take({ ordering: { '': { ordering: false, waiting: [] } } });
    expect(state.certificates?.certificates.map(({ name }) => name)).to.deep.equal(['a', 'b']);
    state.take({ certificates: { 'file/a': null } });
    expect(state.certificates?.certificates.map(({ name }) => name)).to.deep.equal(['b']);
    expect(state.certificates?.ordering).to.equal(false);
  });

  it('has a service in full when both parts of it are there, each replaced by itself', () => {
    const state = stateOf({ documents: { 'manual/shop': documents } });
    expect(state.serviceOf('manual/shop')).to.equal(undefined);
    state.take({ details: { 'manual/shop': details } });
    const found = state.serviceOf('manual/shop');
    expect(found).to.deep.equal({ service: 'manual/shop', ...documents, ...details });
    state.take({ documents: { 'manual/shop': { definition: { updatedAt: '2' } } } });
    expect(state.serviceOf('manual/shop')?.definition?.updatedAt).to.equal('2');
    expect(state.serviceOf('manual/shop')?.endpointNumbers).to.equal(found?.endpointNumbers);
    expect(state.serviceOf('manual/blog')).to.equal(undefined);
  });

  it('drops a service that is not shown any more: the stream does not contain its changes', () => {
    const state = stateOf({ documents: { 'manual/shop': documents }, details: { 'manual/shop': details } });
    state.serviceOf('manual/shop');
    state.keepService('manual/blog');
    expect(state.serviceOf('manual/shop')).to.equal(undefined);
  });
});
