import { expect } from 'chai';
import { aNode, aService, aTask } from '../../test/swarm-fixtures.ts';
import { endpointsOf, type Surroundings, unreachableProblem } from './service-endpoints.ts';

const place = { owner: 'swarm', name: 'go-demo' };
const around = (over: Partial<Surroundings> = {}): Surroundings => ({
  tasks: [aTask()],
  nodes: new Map([['node-1', aNode()]]),
  networks: new Map([
    ['net-1', { id: 'net-1', name: 'proxy', ingress: false }],
    ['net-i', { id: 'net-i', name: 'ingress', ingress: true }],
  ]),
  terminating: new Map(),
  ...over,
});

describe('the endpoints of a service', () => {
  it('hold its tasks, its network and its DNS name', () => {
    expect(endpointsOf(aService({ name: 'shop_web' }), { owner: 'swarm', name: 'web' }, around())).to.deep.equal({
      version: 1,
      service: 'web',
      owner: 'swarm',
      dnsName: 'shop_web',
      tasks: [{ taskId: 'task-1', nodeId: 'node-1', state: 'active', addresses: ['10.0.1.5/24'] }],
      published: [],
      network: 'proxy',
    });
  });

  const states = [
    ['runs and shall run', {}, {}, 'active'],
    ['runs and shall go', { desiredState: 'shutdown' }, {}, 'draining'],
    ['runs and shall be removed', { desiredState: 'remove' }, {}, 'draining'],
    ['has a hint that it terminates', {}, { terminating: new Map([['task-1', 1]]) }, 'draining'],
    ['starts', { state: 'starting' }, {}, undefined],
    ['failed', { state: 'failed' }, {}, undefined],
    ['ended', { state: 'shutdown', desiredState: 'shutdown' }, {}, undefined],
    [
      'shall go from a lost node',
      { desiredState: 'shutdown' },
      { nodes: new Map([['node-1', aNode({ state: 'down' })]]) },
      undefined,
    ],
    ['shall run on a node that looks lost', {}, { nodes: new Map([['node-1', aNode({ state: 'down' })]]) }, 'active'],
  ] as const;
  for (const [what, task, over, expected] of states) {
    it(`have a task that ${what} as ${expected ?? 'nothing'}`, () => {
      const { tasks } = endpointsOf(aService(), place, around({ ...over, tasks: [aTask(task)] }));
      expect(tasks[0]?.state).to.equal(expected);
    });
  }

  it('leave out the addresses in the routing mesh', () => {
    const attachments = [
      { networkId: 'net-i', networkName: 'ingress', ingress: true, addresses: ['10.255.0.9/16'] },
      { networkId: 'net-2', networkName: 'other', ingress: false, addresses: ['10.0.2.5/24'] },
      { networkId: 'net-1', networkName: 'proxy', ingress: false, addresses: ['10.0.1.5/24'] },
    ];
    const { tasks } = endpointsOf(aService(), place, around({ tasks: [aTask({ attachments })] }));
    expect(tasks[0]?.addresses).to.deep.equal(['10.0.1.5/24', '10.0.2.5/24']);
  });

  describe('of a service with labels of Traefik', () => {
    const attachments = [
      { networkId: 'net-2', networkName: 'other', ingress: false, addresses: ['10.0.2.5/24'] },
      { networkId: 'net-1', networkName: 'proxy', ingress: false, addresses: ['10.0.1.5/24'] },
    ];
    const networks = new Map([
      ['net-1', { id: 'net-1', name: 'proxy', ingress: false }],
      ['net-2', { id: 'net-2', name: 'other', ingress: false }],
    ]);
    const service = aService({
      networks: ['net-2', 'net-1'],
      virtualIps: [{ networkId: 'net-1', address: '10.0.1.2/24' }],
      ports: [{ protocol: 'tcp', target: 80, published: 8080, mode: 'ingress' }],
    });
    const cases = [
      ['the network that is requested', { preferred: 'proxy' }, ['10.0.1.5/24'], 'proxy'],
      ['all networks where none is requested', {}, ['10.0.1.5/24', '10.0.2.5/24'], 'other'],
      ['all networks where it has not joined that one', { preferred: 'x' }, ['10.0.1.5/24', '10.0.2.5/24'], 'other'],
    ] as const;
    for (const [what, sharedNetworks, addresses, network] of cases)
      it(`hold the tasks’ addresses of ${what}, and neither published ports nor a virtual IP`, () => {
        const given = around({ tasks: [aTask({ attachments })], networks });
        const document = endpointsOf(service, place, given, sharedNetworks);
        expect(document).to.deep.equal({
          version: 1,
          service: 'go-demo',
          owner: 'swarm',
          dnsName: 'go-demo',
          tasks: [{ taskId: 'task-1', nodeId: 'node-1', state: 'active', addresses }],
          published: [],
          network,
          tasksOnly: true,
        });
      });
  });

  it('hold the virtual IP of a network that proxies can join', () => {
    const virtualIps = [
      { networkId: 'net-i', address: '10.255.0.2/16' },
      { networkId: 'net-1', address: '10.0.1.2/24' },
    ];
    const document = endpointsOf(aService({ virtualIps }), place, around());
    expect(document.vip).to.equal('10.0.1.2/24');
    expect(document.network).to.equal('proxy');
  });

  it('publish a host-mode port where a task runs, as the node opened it', () => {
    const ports = [{ protocol: 'tcp', target: 8080, published: 0, mode: 'host' } as const];
    const task = aTask({ hostPorts: [{ target: 8080, published: 32_768 }] });
    const { published } = endpointsOf(aService({ ports }), place, around({ tasks: [task] }));
    expect(published).to.deep.equal([{ host: '192.0.2.11', port: 32_768, targetPort: 8080 }]);
  });

  it('publish no host-mode port of a task that ends', () => {
    const ports = [{ protocol: 'tcp', target: 8080, published: 80, mode: 'host' } as const];
    const tasks = [aTask({ desiredState: 'shutdown' })];
    expect(endpointsOf(aService({ ports }), place, around({ tasks })).published).to.deep.equal([]);
  });

  it('publish a port of the routing mesh on every node that is ready, and TCP only', () => {
    const ports = [
      { protocol: 'tcp', target: 8080, published: 80, mode: 'ingress' } as const,
      { protocol: 'udp', target: 53, published: 53, mode: 'ingress' } as const,
    ];
    const nodes = new Map(
      [
        aNode(),
        aNode({ id: 'node-2', address: '192.0.2.12' }),
        aNode({ id: 'node-3', address: '192.0.2.13', state: 'down' }),
        aNode({ id: 'node-4', address: '' }),
      ].map((node) => [node.id, node]),
    );
    expect(endpointsOf(aService({ ports }), place, around({ nodes })).published).to.deep.equal([
      { host: '192.0.2.11', port: 80, targetPort: 8080 },
      { host: '192.0.2.12', port: 80, targetPort: 8080 },
    ]);
  });

  it('are equal whatever order Docker lists things in', () => {
    const tasks = [aTask({ id: 'b' }), aTask({ id: 'a' })];
    expect(endpointsOf(aService(), place, around({ tasks }))).to.deep.equal(
      endpointsOf(aService(), place, around({ tasks: tasks.toReversed() })),
    );
  });
});

describe('a service that is unreachable', () => {
  const { networks } = around();
  const lonely = aService({ networks: [] });

  it('has a problem that names the remedy', () => {
    const problem = unreachableProblem(lonely, networks, false);
    expect(problem).to.include({ reason: 'service-unreachable', severity: 'warning' });
    expect(problem?.suggestion).to.contain('--network-add').and.to.contain('--publish-add');
  });

  it('is one that only joins the routing mesh', () => {
    expect(unreachableProblem(aService({ networks: ['net-i'] }), networks, false)).not.to.equal(undefined);
  });

  it('is none with a network, a TCP port, or an outboundHostname', () => {
    const port = { protocol: 'tcp', target: 80, published: 80, mode: 'host' } as const;
    expect(unreachableProblem(aService(), networks, false)).to.equal(undefined);
    expect(unreachableProblem({ ...lonely, ports: [port] }, networks, false)).to.equal(undefined);
    expect(unreachableProblem(lonely, networks, true)).to.equal(undefined);
  });
});
