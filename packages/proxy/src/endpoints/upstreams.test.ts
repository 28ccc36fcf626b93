import type { EndpointsDocument, ServiceDefinition } from '@swarmgate/registry';
import { expect } from 'chai';
import type { Route } from '../model/route.ts';
import type { ServedService } from '../model/served-service.ts';
import type { NameState } from './name-resolution.ts';
import { Upstreams } from './upstreams.ts';

const key = 'swarm/web' as const;
const destination = { index: 0, since: 0, port: 80 };
const definition: ServiceDefinition = {
  version: 1,
  service: 'web',
  owner: 'swarm',
  source: { kind: 'swarm', swarmId: 's', serviceId: 'i', versionIndex: 1 },
  updatedAt: '',
  destinations: [destination],
};
const route: Route = {
  id: 'swarm/web/0',
  key,
  definition,
  destination,
  upstreamPort: 80,
  upstreamSecure: false,
};
const documentWith = (...addresses: string[]): EndpointsDocument => ({
  version: 1,
  service: 'web',
  owner: 'swarm',
  dnsName: 'web',
  tasks: addresses.map((address, at) => ({ taskId: `t${at}`, nodeId: 'n', state: 'active', addresses: [address] })),
  published: [],
});

describe('upstreams', () => {
  let subnets: readonly string[];
  let states: Map<string, NameState>;
  let requested: string[];
  let upstreams: Upstreams;

  beforeEach(() => {
    subnets = ['10.0.1.7/24'];
    states = new Map();
    requested = [];
    const peek = (name: string): NameState => states.get(name) ?? pending;
    upstreams = new Upstreams({
      swarmName: 'swarm',
      subnets: () => subnets,
      dockerNames: true,
      names: {
        peek,
        resolve: (name) => {
          requested.push(name);
          return peek(name);
        },
      },
    });
  });

  const pending: NameState = { kind: 'pending' };
  const apply = (endpoints: EndpointsDocument | undefined, addressesFresh = true) => {
    const served: ServedService = { key, definition, endpoints, origin: 'registry', addressesFresh };
    upstreams.apply(new Map([[key, served]]));
  };
  const hosts = (of = route) => upstreams.of(of).endpoints.map(({ host }) => host);

  it('are task addresses in our own networks', () => {
    apply(documentWith('10.0.1.5/24', '10.0.9.5/24'));
    expect(hosts()).to.deep.equal(['10.0.1.5']);
    expect(requested).to.deep.equal([]);
  });

  it('follow the endpoints document without a new route', () => {
    apply(documentWith('10.0.1.5/24'));
    const before = upstreams.of(route);
    expect(upstreams.of(route)).to.equal(before);
    apply(documentWith('10.0.1.5/24', '10.0.1.6/24'));
    const after = upstreams.of(route);
    expect(after.endpoints.map(({ host }) => host)).to.deep.equal(['10.0.1.5', '10.0.1.6']);
    // The endpoint that stayed is the same object.
    expect(after.endpoints[0]).to.equal(before.endpoints[0]);
  });

  it('follow our own networks', () => {
    apply(documentWith('10.0.9.5/24'));
    states.set('tasks.web', { kind: 'failed', message: '' });
    states.set('web', { kind: 'failed', message: '' });
    expect(hosts()).to.deep.equal([]);
    expect(upstreams.of(route).problem?.reason).to.equal('unreachable');
    subnets = ['10.0.1.7/24', '10.0.9.7/24'];
    expect(hosts()).to.deep.equal(['10.0.9.5']);
  });

  it('are the addresses of the first name that has any', () => {
    apply(documentWith());
    states.set('tasks.web', { kind: 'resolved', addresses: ['10.0.3.1', '10.0.3.2'] });
    expect(hosts()).to.deep.equal(['10.0.3.1', '10.0.3.2']);
    states.set('tasks.web', { kind: 'failed', message: '' });
    states.set('web', { kind: 'resolved', addresses: ['10.0.3.9'] });
    expect(hosts()).to.deep.equal(['10.0.3.9']);
    expect(upstreams.of(route).inOrder).to.equal(false);
  });

  it('are the names themselves, in their order, before DNS has responded', () => {
    apply(documentWith());
    expect(hosts()).to.deep.equal(['tasks.web', 'web']);
    expect(upstreams.of(route).inOrder).to.equal(true);
  });

  it('are not resolved for a report', () => {
    apply(documentWith());
    upstreams.view(route);
    expect(requested).to.deep.equal([]);
  });

  it('are the addresses of several servers, each with its port and its weight', () => {
    const outboundServers = ['a.example:80=3', '10.0.0.8:8080', '[::1]:81'];
    const given = { ...route, destination: { ...destination, outboundHostname: 'a.example', outboundServers } };
    apply(documentWith('10.0.1.5/24'));
    const shown = () =>
      upstreams.of(given).endpoints.map(({ id, weight, serverName }) => `${id} ×${weight} ${serverName}`);
    expect(shown()).to.deep.equal(['a.example:80 ×3 a.example', '10.0.0.8:8080 ×1 10.0.0.8', '::1:81 ×1 ::1']);
    states.set('a.example', { kind: 'resolved', addresses: ['10.0.3.1', '10.0.3.2'] });
    states.set('10.0.0.8', { kind: 'resolved', addresses: ['10.0.0.8'] });
    states.set('::1', { kind: 'failed', message: '' });
    expect(shown()).to.deep.equal([
      // Three of four for the server, whatever number of addresses it has.
      '10.0.3.1:80 ×3 a.example',
      '10.0.3.2:80 ×3 a.example',
      '10.0.0.8:8080 ×2 10.0.0.8',
    ]);
    expect(upstreams.of(given)).to.equal(upstreams.of(given));
    for (const name of ['a.example', '10.0.0.8']) states.set(name, { kind: 'failed', message: '' });
    expect(upstreams.of(given).problem?.reason).to.equal('outbound-unresolved');
    const equal = {
      ...given,
      destination: { ...given.destination, outboundServers: ['b.example:80', 'c.example:80=1'] },
    };
    expect(upstreams.of(equal).endpoints.map(({ weight }) => weight)).to.deep.equal([undefined, undefined]);
  });

  it('are the registered tasks of services that its servers name, with each service’s part', () => {
    const outboundServers = ['tasks.web:80=1', 'tasks.gone:81=3'];
    const given: Route = {
      ...route,
      destination: { ...destination, outboundServers, backupServers: ['b.example:82'] },
    };
    const shown = () =>
      upstreams
        .of(given)
        .endpoints.map(({ host, port, weight, state, backup = '' }) =>
          `${host}:${port} ×${weight} ${state} ${backup}`.trim(),
        );
    for (const name of ['tasks.gone', 'b.example'])
      states.set(name, { kind: 'resolved', addresses: [name === 'b.example' ? '10.9.0.2' : '10.9.0.1'] });
    apply(documentWith('10.0.1.5/24', '10.0.1.6/24'));
    expect(shown()).to.deep.equal([
      '10.0.1.5:80 ×1 active',
      '10.0.1.6:80 ×1 active',
      '10.9.0.1:81 ×6 active',
      '10.9.0.2:82 ×2 active true',
    ]);
    expect(requested).to.not.include('tasks.web');
    expect(upstreams.of(given)).to.equal(upstreams.of(given));
    apply(documentWith('10.0.1.7/24'));
    expect(shown().slice(0, 2)).to.deep.equal(['10.0.1.7:80 ×1 active', '10.9.0.1:81 ×3 active']);
    // Old addresses may be another task's by now.
    states.set('tasks.web', { kind: 'resolved', addresses: ['10.0.1.9'] });
    apply(documentWith('10.0.1.7/24'), false);
    expect(shown()[0]).to.equal('10.0.1.9:80 ×1 active');
  });

  it('are never old overlay addresses', () => {
    apply(documentWith('10.0.1.5/24'), false);
    states.set('tasks.web', { kind: 'failed', message: '' });
    expect(hosts()).to.deep.equal([]);
    expect(upstreams.of(route).ifNone).to.equal('stale-endpoint');
    states.set('tasks.web', { kind: 'resolved', addresses: ['10.0.1.8'] });
    expect(hosts()).to.deep.equal(['10.0.1.8']);
  });
});
