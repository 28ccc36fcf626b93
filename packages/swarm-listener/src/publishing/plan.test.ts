import type { EndpointsDocument, Problem, ServiceDefinition } from '@swarmgate/registry';
import { expect } from 'chai';
import { type DesiredService, planPublication } from './plan.ts';
import type { RegisteredService } from './registered-services.ts';

const definition = (over: Partial<ServiceDefinition> = {}): ServiceDefinition => ({
  version: 1,
  service: 'web',
  owner: 'swarm',
  source: { kind: 'swarm', swarmId: 's', serviceId: 'id', versionIndex: 10 },
  updatedAt: '2026-01-01T00:00:00Z',
  destinations: [{ index: 0, since: 5, servicePath: ['/'], port: 80 }],
  ...over,
});
const endpoints = (over: Partial<EndpointsDocument> = {}): EndpointsDocument => ({
  version: 1,
  service: 'web',
  owner: 'swarm',
  dnsName: 'web',
  tasks: [],
  published: [],
  ...over,
});
const problem: Problem = { severity: 'error', reason: 'label-value-invalid', message: 'port is "http"' };
const registered = (service: RegisteredService) => new Map([['web', service]]);
const plan = (
  required: Partial<DesiredService> | undefined,
  now: RegisteredService | undefined,
  written?: ServiceDefinition,
) =>
  planPublication(
    {
      owner: 'swarm',
      scope: 'all',
      services: new Map(
        required === undefined ? [] : [['web', { name: 'web', endpoints: endpoints(), problems: [], ...required }]],
      ),
    },
    now === undefined ? new Map() : registered(now),
    new Map(written === undefined ? [] : [['web', written]]),
  );

describe('the plan of a publication', () => {
  const good = { definition: definition(), endpoints: endpoints() };

  it('writes a new service whole', () => {
    expect(plan({ definition: definition() }, undefined)).to.deep.equal([
      { owner: 'swarm', service: 'web', definition: { document: definition() }, endpoints: endpoints() },
    ]);
  });

  it('removes what is withdrawn, and writes its problems', () => {
    const required = { withdrawn: true, problems: [problem] } as const;
    expect(plan(required, good)).to.deep.equal([
      { owner: 'swarm', service: 'web', definition: { document: null }, endpoints: null, labelProblems: [problem] },
    ]);
    expect(plan(required, { problems: [problem] })).to.deep.equal([]);
    expect(plan(required, undefined)).to.deep.equal([{ owner: 'swarm', service: 'web', labelProblems: [problem] }]);
  });

  it('is empty when nothing changed', () => {
    expect(plan({ definition: definition() }, good)).to.deep.equal([]);
  });

  it('is empty when only the version of the service or the time changed', () => {
    const later = definition({
      updatedAt: '2027-01-01T00:00:00Z',
      source: { kind: 'swarm', swarmId: 's', serviceId: 'id', versionIndex: 99 },
    });
    expect(plan({ definition: later }, good)).to.deep.equal([]);
  });

  it('writes a definition of another service with the same name', () => {
    const recreated = definition({ source: { kind: 'swarm', swarmId: 's', serviceId: 'new', versionIndex: 20 } });
    expect(plan({ definition: recreated }, good)[0]?.definition?.document).to.equal(recreated);
  });

  it('writes the endpoints alone when only tasks changed', () => {
    const moved = endpoints({ tasks: [{ taskId: 't', nodeId: 'n', state: 'draining', addresses: [] }] });
    expect(plan({ definition: definition(), endpoints: moved }, good)).to.deep.equal([
      { owner: 'swarm', service: 'web', endpoints: moved },
    ]);
  });

  it('keeps the last good definition when the labels are invalid, and writes the problems', () => {
    expect(plan({ problems: [problem] }, good)).to.deep.equal([
      { owner: 'swarm', service: 'web', labelProblems: [problem] },
    ]);
  });

  it('writes no addresses without a definition', () => {
    expect(plan({ problems: [problem] }, undefined)).to.deep.equal([
      { owner: 'swarm', service: 'web', labelProblems: [problem] },
    ]);
  });

  it('removes the problems once they are resolved', () => {
    expect(plan({ definition: definition() }, { ...good, problems: [problem] })).to.deep.equal([
      { owner: 'swarm', service: 'web', labelProblems: null },
    ]);
  });

  it('removes what is no longer desired, and only what is registered', () => {
    expect(plan(undefined, good)).to.deep.equal([
      { owner: 'swarm', service: 'web', definition: { document: null }, endpoints: null },
    ]);
    expect(plan(undefined, { problems: [problem] })).to.deep.equal([
      { owner: 'swarm', service: 'web', labelProblems: null },
    ]);
  });

  it('compares only the names in scope', () => {
    const changes = planPublication(
      { owner: 'swarm', scope: new Set(['other']), services: new Map() },
      registered(good),
      new Map(),
    );
    expect(changes).to.deep.equal([]);
  });

  it('keeps a manual edit until the service changes', () => {
    const edited = definition({ destinations: [{ index: 0, since: 5, servicePath: ['/edited'], port: 80 }] });
    const now = { ...good, definition: edited };
    expect(plan({ definition: definition() }, now, definition())).to.deep.equal([]);
    const changed = definition({ aclName: '01' });
    expect(plan({ definition: changed }, now, definition())[0]?.definition?.document).to.equal(changed);
    // After a start the former writes are unknown: the Swarm's state counts.
    expect(plan({ definition: definition() }, now)[0]?.definition?.document).to.deep.equal(definition());
  });

  it('repairs what cannot be parsed or was deleted manually', () => {
    expect(plan({ definition: definition() }, { ...good, definition: 'uncertain' }, definition())).to.have.length(1);
    expect(plan({ definition: definition() }, { endpoints: endpoints() }, definition())).to.have.length(1);
  });
});
