import { RegistryError, type ReplicaStatus, type ServiceChange, type ServiceKey } from '@swarmgate/registry';
import { expect } from 'chai';
import { definition, good, snapshot } from '../../../test/registered.ts';
import type { ServicesFollower } from '../watch/follow-services.ts';
import { ServedServices } from '../watch/served-services.ts';
import { responseOf } from './change-outcome.ts';
import { MaintenanceChanges } from './maintenance-changes.ts';

const replica = (name: string, features?: readonly string[]): ReplicaStatus => ({
  replica: name,
  registryId: 'r1',
  sequence: 1,
  routes: 1,
  rejected: 0,
  version: '0.2.0',
  since: '',
  ...(features === undefined ? {} : { features }),
});

describe('changes of maintenance', () => {
  let published: ServiceChange[];
  let conflicts: number;
  let readAgain: number;
  let replicas: readonly ReplicaStatus[];
  let served: ServedServices;
  let changes: MaintenanceChanges;

  const known = (...keys: readonly ServiceKey[]) => {
    served = new ServedServices([]);
    served.absorb(snapshot({ cause: 'start', services: keys.map((key) => [key, good(definition(key))] as const) }), {
      epochMs: 0,
      uptimeMs: 0,
    });
    served.settle();
  };
  const set = (owner?: string) => changes.set({ service: 'shop', owner }, { page: { message: 'x' } }, 'ann');

  beforeEach(() => {
    published = [];
    conflicts = 0;
    readAgain = 0;
    replicas = [replica('one', ['maintenance'])];
    known('swarm/shop', 'manual/shop', 'swarm/blog');
    changes = new MaintenanceChanges({
      follower: {
        get served() {
          return served;
        },
        async readAgain() {
          readAgain += 1;
        },
      } as unknown as ServicesFollower,
      server: { table: () => ({ routesOf: () => [] }) as never, endpointsOf: () => [] },
      changes: {
        async publish(given) {
          if (conflicts > 0) {
            conflicts -= 1;
            throw RegistryError.of('registry-conflict', 'another writer');
          }
          published.push(...given);
          return { sequence: 2, serving: ['one'], waitingFor: [] };
        },
      },
      presence: { list: async () => replicas },
      now: () => 0,
    });
  });

  const keys = () => published.map(({ owner, service }) => `${owner}/${service}`);

  it('are made for every owner that publishes the name, or for the one that is named', async () => {
    await set();
    expect(keys()).to.have.members(['swarm/shop', 'manual/shop']);
    published = [];
    await set('swarm');
    expect(keys()).to.deep.equal(['swarm/shop']);
    expect(published[0]?.maintenance).to.deep.include({ index: 0 });
  });

  for (const [what, page] of [
    ['a message with a NUL', { message: 'a\0b' }],
    ['a message of two lines', { message: 'a\r\nb' }],
    ['a page with an escape', { page: '<p>\x1b[31m</p>' }],
  ] as const)
    it(`are refused where no replica would take them: ${what}`, async () => {
      const outcome = await changes.set({ service: 'shop', owner: undefined }, { page }, 'ann');
      expect(outcome).to.deep.include({ kind: 'refused', status: 400 });
      expect(published).to.deep.equal([]);
    });

  it('are refused beyond the drains that a document holds', async () => {
    const endpoints = Array.from({ length: 300 }, (_, at) => ({
      endpoint: { host: `10.0.${at >> 8}.${at & 255}`, port: 80, state: 'active' },
    }));
    const server = { table: () => ({ routesOf: () => [{}] }) as never, endpointsOf: () => endpoints as never };
    const drains = Array.from({ length: 200 }, (_, at) => ({
      host: `h${at}`,
      by: 'ann',
      since: '2026-01-02T03:00:00Z',
    }));
    const document = { version: 1, owner: 'swarm', service: 'shop', drains } as const;
    const change = snapshot({ services: [['swarm/shop', good(definition('swarm/shop'))]] });
    const maintenance = new Map([['swarm/shop', { ok: true, document, index: 7 }] as const]);
    served.absorb({ ...change, snapshot: { ...change.snapshot, maintenance } }, { epochMs: 0, uptimeMs: 0 });
    const full = new MaintenanceChanges({
      follower: { served, readAgain: async () => {} } as unknown as ServicesFollower,
      server,
      changes: { publish: async () => ({ sequence: 2, serving: ['one'], waitingFor: [] }) },
      presence: { list: async () => replicas },
      now: () => 0,
    });
    const given = { page: {}, endpoint: { host: '10.0.0.1' } };
    expect(served.maintenance.get('swarm/shop')?.drains).to.have.length(200);
    expect(await full.set({ service: 'shop', owner: 'swarm' }, given, 'ann')).to.deep.include({ kind: 'refused' });
  });

  it('are decided again after another writer, with what stands there then, and are refused after six tries', async () => {
    conflicts = 5;
    expect(await set()).to.have.property('kind', 'done');
    expect(readAgain).to.equal(5);
    conflicts = 6;
    expect(await set()).to.deep.include({ kind: 'refused', status: 409 });
  });

  it('name the replicas of versions that know no maintenance', async () => {
    replicas = [replica('one', ['maintenance']), replica('old'), replica('older', [])];
    const outcome = await set();
    const message = outcome.kind === 'done' ? outcome.message : '';
    expect(message).to.equal(
      'Distributed to all instances; old runs an older version, which has no maintenance and serves on; ' +
        'older runs an older version, which has no maintenance and serves on',
    );
    expect(responseOf(outcome).body.warnings).to.deep.equal([
      'old runs an older version, which has no maintenance and serves on',
      'older runs an older version, which has no maintenance and serves on',
    ]);
  });

  it('end what is set for a service that is not published any more, and nothing else', async () => {
    const by = { by: 'ann', since: '2026-01-02T03:00:00.000Z' };
    const document = { version: 1, owner: 'swarm', service: 'gone', maintenance: by } as const;
    const change = snapshot({ services: [], sequence: 2 });
    const maintenance = new Map([['swarm/gone', { ok: true, index: 7, document }]] as const);
    served.absorb({ ...change, snapshot: { ...change.snapshot, maintenance } }, { epochMs: 0, uptimeMs: 0 });
    const outcome = await changes.end({ service: 'gone', owner: undefined }, undefined, 'bob');
    expect(outcome).to.have.property('kind', 'done');
    expect(published).to.have.length(1);
    expect(published[0]?.maintenance).to.have.property('index', 7);
    expect(published[0]?.maintenance?.document).to.not.have.property('maintenance');
    expect(await changes.end({ service: 'never', owner: undefined }, undefined, 'bob')).to.deep.include({
      status: 404,
    });
  });
});
