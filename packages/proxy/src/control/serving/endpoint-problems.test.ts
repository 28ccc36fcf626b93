import { createHook } from 'node:async_hooks';
import type { Destination, ServiceDefinition, ServiceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { until } from '../../../test/behaviour-rig.ts';
import type { NameState } from '../../endpoints/name-resolution.ts';
import { Upstreams } from '../../endpoints/upstreams.ts';
import { createRouteTable } from '../../routing/create-route-table.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import { EndpointProblems } from './endpoint-problems.ts';

describe('problems of serving', () => {
  const names = new Map<string, NameState>();
  const stateOf = (name: string): NameState => names.get(name) ?? { kind: 'pending' };
  let namesAsOf: number;
  let views: number;
  let table: RouteTable;
  let problems: EndpointProblems;
  let ending: AbortController;

  beforeEach(() => {
    names.clear();
    namesAsOf = 0;
    views = 0;
    ending = new AbortController();
    table = createRouteTable({
      order: 'strict',
      instanceName: 'swarmgate',
      filterInstanceName: false,
    });
    const upstreams = new Upstreams({
      swarmName: 'swarm',
      subnets: () => subnets,
      dockerNames: true,
      names: { resolve: stateOf, peek: stateOf },
    });
    problems = new EndpointProblems({
      table: () => table,
      upstreams: {
        view: (route) => {
          views += 1;
          return upstreams.view(route);
        },
      },
      addressesAsOf: () => namesAsOf,
    });
  });
  afterEach(() => ending.abort());

  function apply(...changes: readonly (readonly [ServiceKey, ServiceDefinition | undefined])[]): void {
    table = table.with(new Map(changes));
    problems.apply(new Map(changes));
  }

  function resolve(state: NameState): void {
    names.set('far.example', state);
    namesAsOf += 1;
  }

  it('are found with the change that brings them, and go with the one that ends them', () => {
    apply(['manual/far', named('far', 'far.example')]);
    expect(problems.problems().size).to.equal(0);
    resolve({ kind: 'failed', message: 'no such name' });
    apply(['manual/far', named('far', 'far.example')]);
    expect(
      problems
        .problems()
        .get('manual/far')
        ?.map(({ reason }) => reason),
    ).to.deep.equal(['outbound-unresolved']);
    apply(['manual/far', undefined]);
    expect(problems.problems().size).to.equal(0);
  });

  it('are found without a change where a name loses its address, and gone when it has one again', async () => {
    apply(['manual/far', named('far', 'far.example')]);
    const following = problems.follow(1, ending.signal);
    resolve({ kind: 'failed', message: 'no such name' });
    await until(() => problems.problems().has('manual/far'));
    resolve({ kind: 'resolved', addresses: ['10.9.9.9'] });
    await until(() => !problems.problems().has('manual/far'));
    ending.abort();
    await following;
  });

  const callers: readonly (readonly [string, Partial<Destination>, string | undefined, RegExp])[] = [
    [
      'forwardAuth',
      { forwardAuth: { address: 'http://far.example:9000/verify?key=hush' } },
      'forwardAuth.1',
      /far\.example has no address: requests get 503 auth-unavailable/,
    ],
    [
      'errors',
      { errors: { status: [{ from: 500, to: 599 }], address: 'https://far.example' } },
      'errors.1',
      /far\.example has no address: clients get/,
    ],
    [
      'forwardAuth of a list',
      { middlewares: [{ kind: 'forwardAuth', address: 'http://far.example' }] },
      undefined,
      /auth-unavailable/,
    ],
  ];
  for (const [what, caller, label, message] of callers)
    it(`are those of a service whose ${what} calls a name without an address, and gone when it has one`, async () => {
      const { destinations, ...definition } = named('shop', 'near.example');
      apply([
        'swarm/shop',
        { ...definition, destinations: destinations.map((each) => ({ ...each, index: 1, ...caller })) },
      ]);
      const following = problems.follow(1, ending.signal);
      expect(problems.problems().size, 'before a request has called it').to.equal(0);
      resolve({ kind: 'failed', message: 'no such name' });
      await until(() => problems.problems().has('swarm/shop'));
      const [problem, ...more] = problems.problems().get('swarm/shop') ?? [];
      expect(more).to.deep.equal([]);
      expect(problem).to.include({ severity: 'warning', reason: 'called-service-unreachable' });
      expect(problem?.label).to.equal(label);
      expect(JSON.stringify(problem)).to.not.include('hush');
      expect(problem?.message).to.match(message);
      resolve({ kind: 'resolved', addresses: ['10.9.9.9'] });
      await until(() => !problems.problems().has('swarm/shop'));
      ending.abort();
      await following;
    });

  it('are those of a service whose forwardAuth calls a service that the proxy does not reach', () => {
    for (const name of ['tasks.auth', 'auth']) names.set(name, { kind: 'failed', message: 'no such name' });
    const { destinations, ...definition } = named('shop', 'near.example');
    const forwardAuth = { address: 'http://auth:9000' };
    apply([
      'swarm/shop',
      { ...definition, owner: 'swarm', destinations: destinations.map((each) => ({ ...each, forwardAuth })) },
    ]);
    const [problem] = problems.problems().get('swarm/shop') ?? [];
    expect(problem?.reason).to.equal('called-service-unreachable');
    expect(problem?.message).to.include('no address of auth can be reached from this proxy on port 9000');
    expect(problem?.suggestion).to.include('overlay network');
  });

  it('are not those of a route that is not in force', () => {
    names.set('far.example', { kind: 'failed', message: 'no such name' });
    apply(['manual/old', named('old', 'near.example')], ['manual/young', named('young', 'far.example', 2)]);
    // Both request the same match; the older one has it.
    expect(problems.problems().size).to.equal(0);
    apply(['manual/old', undefined]);
    expect([...problems.problems().keys()]).to.deep.equal(['manual/young']);
  });

  it('cost what is wrong, not what there is', () => {
    const many = Array.from({ length: 1_000 }, (_, at): [ServiceKey, ServiceDefinition] => {
      const service = `service-${at}`;
      return [`manual/${service}`, { ...named(service, 'near.example'), destinations: [destination(service)] }];
    });
    apply(...many);
    views = 0;
    problems.problems();
    expect(views).to.equal(0);
    apply(...many.slice(0, 1));
    expect(views).to.equal(1);
  });

  it('are looked for in pieces, so that requests have their turn meanwhile', async () => {
    apply(
      ...Array.from({ length: 1_000 }, (_, at): [ServiceKey, ServiceDefinition] => {
        const service = `service-${at}`;
        return [`manual/${service}`, { ...named(service, 'near.example'), destinations: [destination(service)] }];
      }),
    );
    views = 0;
    let most = 0;
    let before = 0;
    const hook = createHook({
      before: () => {
        most = Math.max(most, views - before);
        before = views;
      },
    }).enable();
    namesAsOf += 1;
    const following = problems.follow(1, ending.signal);
    await until(() => views === 1_000);
    hook.disable();
    ending.abort();
    await following;
    expect(most).to.be.within(1, 100);
  });
});

const subnets: readonly string[] = ['10.0.0.1/24'];

function destination(service: string, since = 1) {
  return { index: 0, since, servicePath: [`/${service}`], port: 80, outboundHostname: 'near.example' };
}

function named(service: string, outboundHostname: string, since = 1): ServiceDefinition {
  return {
    version: 1,
    service,
    owner: 'manual',
    source: { kind: 'rest', by: 'test' },
    updatedAt: '',
    destinations: [{ ...destination('same', since), outboundHostname }],
  };
}
