import { checkDefinition, checkEndpoints } from '@swarmgate/registry';
import { hostileRuns, hostileTexts, mutationsOf, pathsOf, textOf } from '@swarmgate/registry/test/hostile-documents';
import { fuzzRuns } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { createTranslator } from '../labels/translator.ts';
import { parseEventLine } from './docker-events.ts';
import { parseList, parseNetwork, parseNode, parseService, parseTask } from './parse-objects.ts';
import type { SwarmError } from './swarm-error.ts';
import { tasksDiffer, viewOf, withServices, withTasks } from './swarm-view.ts';

const seed = 20_261_129;
const runs = hostileRuns.docker;

const service = (id: string, name: string) => ({
  ID: id,
  Version: { Index: 13 },
  CreatedAt: '2026-01-21T22:05:19.027759833Z',
  Spec: {
    Name: name,
    Labels: { 'com.df.notify': 'true', 'com.df.servicePath': `/${name}`, 'com.df.port': '8080' },
    TaskTemplate: {
      Networks: [{ Target: 'net-1' }],
      ContainerSpec: {
        Image: 'traefik:v3',
        Command: ['traefik'],
        Args: ['--api'],
        Env: ['TRAEFIK_API=true'],
        Configs: [{ File: { Name: '/etc/traefik/traefik.yml' } }],
        Secrets: [{ File: { Name: 'x' } }],
      },
    },
    Networks: [{ Target: 'net-1' }],
    Mode: { Replicated: { Replicas: 1 } },
  },
  Endpoint: {
    Ports: [{ Protocol: 'tcp', TargetPort: 8080, PublishedPort: 80, PublishMode: 'ingress' }],
    VirtualIPs: [{ NetworkID: 'net-1', Addr: '10.0.1.2/24' }],
  },
  UpdateStatus: { State: 'updating' },
});
const task = (id: string, of: string, address: string) => ({
  ID: id,
  Version: { Index: 20 },
  ServiceID: of,
  NodeID: 'node-1',
  Status: {
    State: 'running',
    PortStatus: { Ports: [{ Protocol: 'tcp', TargetPort: 8080, PublishedPort: 18_099, PublishMode: 'host' }] },
  },
  DesiredState: 'running',
  NetworksAttachments: [{ Network: { ID: 'net-1', Spec: { Name: 'proxy', Ingress: false } }, Addresses: [address] }],
});
const node = (id: string) => ({
  ID: id,
  Version: { Index: 1 },
  Spec: { Labels: { zone: 'a' }, Role: 'manager', Availability: 'active' },
  Description: { Hostname: 'one' },
  Status: { State: 'ready', Addr: '192.0.2.11' },
  ManagerStatus: { Addr: '192.0.2.11:2377' },
});
const network = (id: string) => ({ Id: id, Name: 'proxy', Ingress: false });
const event = {
  Type: 'container',
  Action: 'kill',
  Actor: {
    ID: 'c1',
    Attributes: { 'com.docker.swarm.service.id': 's1', 'com.docker.swarm.task.id': 't1', signal: '15' },
  },
};

const lists = {
  service: [service('beside', 'beside'), service('hostile', 'hostile')],
  task: [task('t-beside', 'beside', '10.0.1.5/24'), task('t-hostile', 'hostile', '10.0.1.6/24')],
  node: [node('node-1'), node('node-2')],
  network: [network('net-1'), network('net-2')],
} as const;
type Kind = keyof typeof lists;

describe('objects of Docker, whatever stands in them', function () {
  this.timeout(120_000);

  /** What the listener publishes of a Swarm of these lists. */
  function published(kind: Kind, spoilt: unknown) {
    const faults: SwarmError[] = [];
    const listOf = <T>(of: Kind, parseOne: (item: unknown) => T) =>
      parseList(of === kind ? [lists[of][0], spoilt] : lists[of], parseOne, (error) => faults.push(error));
    const tasks = listOf('task', parseTask);
    const services = listOf('service', parseService);
    const view = viewOf({
      swarmId: 'swarm-1',
      services,
      tasks,
      nodes: listOf('node', parseNode),
      networks: listOf('network', parseNetwork),
    });
    for (const { message } of faults) expect(message).to.match(/has an unexpected form/);
    tasksDiffer(tasks, [...tasks].reverse());
    const followed = withTasks(
      withServices(view, new Map(services.map((each) => [each.id, each])), tasks),
      services.map(({ id }) => id),
      tasks,
    );
    const translator = createTranslator(
      { notifyLabel: 'com.df.notify', serviceNamePrefix: '', owner: 'swarm', separator: ',' },
      { onProblems: () => undefined },
    );
    return translator.take({ view: followed, changed: 'all', cause: 'listing' }, new Date(0)).services;
  }

  it('are mutated in every field of every kind', () => {
    expect(pathsOf(lists.service[0]).length).to.be.greaterThan(35);
    expect(pathsOf(lists.task[0]).length).to.be.greaterThan(20);
  });

  for (const kind of ['service', 'task', 'node', 'network'] as const)
    it(`cost their own service at most: ${kind}`, () => {
      const expected = published(kind, lists[kind][1]).get('beside');
      expect(expected?.endpoints?.tasks).to.have.length(1);
      fc.assert(
        fc.property(mutationsOf(lists[kind][1]), (spoilt) => {
          const text = textOf(spoilt);
          const all = published(kind, text === undefined ? undefined : JSON.parse(text));
          const beside = [...all.values()].find(({ definition }) => definition?.service === 'beside');
          if (beside?.definition === undefined) throw new Error('the service beside it is not published');
          expect(beside.endpoints.tasks).to.deep.equal(expected?.endpoints.tasks);
          // What a spoilt id or name spoils of its own service is refused by its check, and thrown by neither.
          for (const { definition, endpoints } of all.values()) {
            const travelled = JSON.parse(JSON.stringify({ definition, endpoints }));
            const isBeside = definition === beside.definition;
            if (definition === undefined) continue;
            expect(checkDefinition(travelled.definition, definition).ok || !isBeside).to.equal(true);
            expect(checkEndpoints(travelled.endpoints, definition).ok || !isBeside).to.equal(true);
          }
        }),
        fuzzRuns(runs[kind], seed),
      );
    });

  it('are events, or none', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          { weight: 50, arbitrary: mutationsOf(event).map((mutated) => textOf(mutated) ?? '') },
          { weight: 1, arbitrary: fc.constantFrom(...hostileTexts.filter((text) => text.length < 100_000)) },
        ),
        (line) => {
          const read = parseEventLine(line);
          if (read?.kind === 'task-terminating') expect(read.taskId).to.be.a('string');
        },
      ),
      fuzzRuns(runs.event, seed),
    );
  });
});
