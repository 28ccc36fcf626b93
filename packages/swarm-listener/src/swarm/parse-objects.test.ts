import { expect } from 'chai';
import { parseList, parseNode, parseService, parseTask } from './parse-objects.ts';
import { SwarmError } from './swarm-error.ts';

// Recorded from Docker Engine 20.10.24, shortened.
const dnsrrService = {
  ID: 'bzn8bi06b0a1488y56958xotj',
  Version: { Index: 13 },
  CreatedAt: '2026-01-21T22:05:19.027759833Z',
  Spec: {
    Name: 'demo-8160bb',
    Labels: { 'com.df.notify': 'true' },
    TaskTemplate: { Networks: [{ Target: 'p6ggan2w1y9oe80wwcb60dbs1' }], ForceUpdate: 0 },
    Mode: { Replicated: { Replicas: 2 } },
    EndpointSpec: { Mode: 'dnsrr' },
  },
  Endpoint: { Spec: {} },
};

const hostModeTask = {
  ID: 'fbtokjgklurh4rbzuhep1pji9',
  Version: { Index: 20 },
  ServiceID: 'bzn8bi06b0a1488y56958xotj',
  NodeID: 'yzdol7udfg2vdgpci72jv4s0m',
  Status: {
    State: 'running',
    PortStatus: {
      Ports: [
        { Protocol: 'tcp', TargetPort: 8080, PublishedPort: 18099, PublishMode: 'host' },
        { Protocol: 'tcp', TargetPort: 8080, PublishedPort: 18099, PublishMode: 'host' },
        { Protocol: 'udp', TargetPort: 53, PublishedPort: 53, PublishMode: 'host' },
      ],
    },
  },
  DesiredState: 'running',
  NetworksAttachments: [
    { Network: { ID: 'p6gg', Spec: { Name: 'net-4d0818', Scope: 'swarm' } }, Addresses: ['10.0.1.3/24'] },
    { Network: { ID: 'ingr', Spec: { Name: 'ingress', Ingress: true } }, Addresses: ['10.255.0.4/16'] },
  ],
};

describe("Docker's responses", () => {
  it('are read as a service without a virtual IP', () => {
    expect(parseService(dnsrrService)).to.deep.equal({
      id: 'bzn8bi06b0a1488y56958xotj',
      name: 'demo-8160bb',
      versionIndex: 13,
      createdAt: '2026-01-21T22:05:19.027759833Z',
      labels: { 'com.df.notify': 'true' },
      mode: { kind: 'replicated', replicas: 2 },
      networks: ['p6ggan2w1y9oe80wwcb60dbs1'],
      virtualIps: [],
      ports: [],
    });
  });

  const images: readonly (readonly [image: string, isTraefik: boolean])[] = [
    ['traefik', true],
    ['traefik:v3.5', true],
    ['traefik:v3.5@sha256:0123', true],
    ['docker.io/library/traefik@sha256:0123', true],
    ['registry.example:5000/mirror/traefik:v2', true],
    ['traefik/whoami:latest', false],
    ['my-traefik', false],
    ['traefik-forward-auth:2', false],
    ['traefik:v3/x', false],
  ];
  for (const [Image, isTraefik] of images)
    it(`are ${isTraefik ? '' : 'not '}of a Traefik with the image ${Image}`, () => {
      const ContainerSpec = {
        Image,
        Command: ['traefik'],
        Args: ['--api'],
        Env: ['TRAEFIK_API=true', 'CF_API_TOKEN=s3cret'],
        Configs: [{ File: { Name: '/etc/traefik/traefik.yml' } }, { File: null }],
      };
      const Spec = { ...dnsrrService.Spec, TaskTemplate: { ContainerSpec } };
      expect(parseService({ ...dnsrrService, Spec }).traefik).to.deep.equal(
        isTraefik
          ? {
              args: ['traefik', '--api'],
              environment: ['TRAEFIK_API=true'],
              staticFile: '/etc/traefik/traefik.yml',
            }
          : undefined,
      );
    });

  it('are read with virtual IPs, ports, mode and the state of an update', () => {
    const service = parseService({
      ...dnsrrService,
      Spec: { ...dnsrrService.Spec, Labels: null, Mode: { Global: {} } },
      Endpoint: {
        Ports: [
          { Protocol: 'tcp', TargetPort: 8080, PublishedPort: 80, PublishMode: 'ingress' },
          { Protocol: 'tcp', TargetPort: 9090, PublishMode: 'host' },
        ],
        VirtualIPs: [{ NetworkID: 'net-1', Addr: '10.0.1.2/24' }, { NetworkID: 'net-2' }],
      },
      UpdateStatus: { State: 'updating' },
    });
    expect(service).to.deep.include({
      labels: {},
      mode: { kind: 'global' },
      virtualIps: [{ networkId: 'net-1', address: '10.0.1.2/24' }],
      updateState: 'updating',
      ports: [
        { protocol: 'tcp', target: 8080, published: 80, mode: 'ingress' },
        { protocol: 'tcp', target: 9090, published: 0, mode: 'host' },
      ],
    });
  });

  it('are read as a task, whose ports Docker lists twice', () => {
    const task = parseTask(hostModeTask);
    expect(task.hostPorts).to.deep.equal([{ target: 8080, published: 18099 }]);
    expect(task.attachments.map(({ ingress, addresses }) => [ingress, ...addresses])).to.deep.equal([
      [false, '10.0.1.3/24'],
      [true, '10.255.0.4/16'],
    ]);
  });

  const nodeAddresses = [
    ['192.0.2.11', '192.0.2.11:2377', '192.0.2.11'],
    ['0.0.0.0', '192.0.2.11:2377', '192.0.2.11'],
    ['0.0.0.0', '[2001:db8::1]:2377', '2001:db8::1'],
    ['0.0.0.0', '0.0.0.0:2377', ''],
    ['127.0.0.1', '127.0.0.1:2377', '127.0.0.1'],
  ] as const;
  for (const [Addr, manager, expected] of nodeAddresses) {
    it(`give a node that reports ${Addr} and ${manager} the address "${expected}"`, () => {
      const node = parseNode({
        ID: 'n',
        Version: { Index: 1 },
        Spec: {},
        Status: { Addr },
        ManagerStatus: { Addr: manager },
      });
      expect(node.address).to.equal(expected);
    });
  }

  it('are read from a list without the ones that cannot be read, whose reasons are reported', () => {
    const reasons: string[] = [];
    const onUnusable = ({ message }: SwarmError) => reasons.push(message);
    const read = parseList([dnsrrService, { ...dnsrrService, ID: 5 }, 'x'], parseService, onUnusable);
    expect(read.map(({ name }) => name)).to.deep.equal(['demo-8160bb']);
    expect(reasons).to.have.length(2);
    expect(reasons[0]).to.match(/service has an unexpected form: .*at ID/s);
    expect(parseList([], parseService, onUnusable)).to.deep.equal([]);
  });

  it('are no list where none can be read, but for the tasks of one service', () => {
    const none = () => undefined;
    for (const response of [{ message: 'page not found' }, [{ ...hostModeTask, ID: 5 }]])
      expect(() => parseList(response, parseTask, none)).to.throw(SwarmError);
    expect(parseList([{ ...hostModeTask, ID: 5 }], parseTask, none, true)).to.deep.equal([]);
  });

  it('are refused where they do not conform to the API', () => {
    expect(() => parseService({ message: 'page not found' }))
      .to.throw(SwarmError)
      .with.property('code', 'docker-answer-unusable');
  });
});
