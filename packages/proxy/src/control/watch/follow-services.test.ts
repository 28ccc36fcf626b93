import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConsulStore, createRegistry, keyLayout, type Registry, type ServiceKey } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { definition } from '../../../test/registered.ts';
import { embeddedRegistry, eventually } from '../../../test/running-proxy.ts';
import type { ServicesChange } from '../../model/served-service.ts';
import { followServices, type ServicesFollower } from './follow-services.ts';
import { snapshotPath } from './snapshot-file.ts';

const layout = keyLayout('swarmgate');

describe('following the registry', () => {
  let dataDir: string;
  let registry: Registry;
  let ending: AbortController;
  let changes: ServicesChange[];
  let followers: ServicesFollower[];

  const follow = async (
    more: { registry?: Registry; now?: () => number; onChange?: (change: ServicesChange) => Promise<void> } = {},
  ) => {
    const follower = await followServices({
      registry,
      env: [],
      dataDir,
      logger: silentLogger,
      signal: ending.signal,
      onChange: async (change) => {
        changes.push(change);
      },
      ...more,
    });
    followers.push(follower);
    return follower;
  };
  const publish = (...keys: ServiceKey[]) =>
    registry.publish(
      keys.map((key) => {
        const document = definition(key);
        return { owner: document.owner, service: document.service, definition: { document } };
      }),
      { by: 'test', signal: ending.signal },
    );
  const publishAt = (path: string) =>
    registry.publish([{ owner: 'swarm', service: 'a', definition: { document: definition('swarm/a', path) } }], {
      by: 'test',
      signal: ending.signal,
    });
  const serves = (follower: ServicesFollower, ...keys: ServiceKey[]) =>
    eventually(`served: ${keys.join(' ')}`, () => keys.every((key) => follower.served.services.has(key)));
  const unreachable = () =>
    createRegistry({ store: createConsulStore({ address: '127.0.0.1:1', secure: false }), instance: 'swarmgate' });

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-follow-'));
    registry = await embeddedRegistry(join(dataDir, 'registry'));
    ending = new AbortController();
    changes = [];
    followers = [];
  });
  afterEach(async () => {
    for (const follower of followers) await follower.stop();
    ending.abort();
    await registry.store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('serves what is published while it follows, each as one difference', async () => {
    const follower = await follow();
    await eventually('following', () => follower.state().kind === 'following');
    await publish('swarm/a');
    await serves(follower, 'swarm/a');
    await publish('swarm/b');
    await serves(follower, 'swarm/b');
    expect([...(changes.at(-1)?.changes.keys() ?? [])]).to.deep.equal(['swarm/b']);
  });

  it('stays with the newest usable version of a document spoilt by hand, also after its own restart', async () => {
    await publish('swarm/a');
    await publishAt('/second');
    await registry.store.transact([{ kind: 'set', key: layout.documentKey('services', 'swarm/a'), value: '{' }]);
    const follower = await follow();
    await serves(follower, 'swarm/a');
    expect(follower.served.services.get('swarm/a')).to.include({ origin: 'history' });
    expect(follower.served.rejected.get('swarm/a')?.[0]?.reason).to.equal('document-not-json');
  });

  it('looks for a stand-in again with the next change where the history could not be read', async () => {
    await publish('swarm/a');
    await publishAt('/second');
    await registry.store.transact([{ kind: 'set', key: layout.documentKey('services', 'swarm/a'), value: '{' }]);
    let mayRead = false;
    // The real part cannot be made to fail in one call only.
    const history: Registry['history'] = (...given) =>
      mayRead ? registry.history(...given) : Promise.reject(new Error('too slow'));
    const follower = await follow({ registry: Object.create(registry, { history: { value: history } }) as Registry });
    await eventually('rejected', () => follower.served.rejected.has('swarm/a'));
    expect(follower.served.services.has('swarm/a')).to.equal(false);
    mayRead = true;
    await publish('swarm/b');
    await serves(follower, 'swarm/a', 'swarm/b');
  });

  it('reads again on request, though nothing changed, as often as requested', async () => {
    const follower = await follow();
    await Promise.all([follower.readAgain(), follower.readAgain()]);
    await follower.readAgain();
    expect(follower.state().kind).to.equal('following');
  });

  it('holds services that vanish in mass without the journal, until they are released', async () => {
    const keys = Array.from({ length: 12 }, (_, at): ServiceKey => `swarm/s${at}`);
    await publish(...keys);
    const follower = await follow();
    await serves(follower, ...keys);
    await registry.store.transact(
      keys.slice(2).map((key) => ({ kind: 'delete', key: layout.documentKey('services', key) })),
    );
    await eventually('holding', () => follower.state().kind === 'holding');
    expect(follower.state()).to.include({ reason: 'mass-loss', held: 10 });
    expect(follower.served.services.size).to.equal(12);
    expect(await follower.releaseHeld()).to.deep.equal({ released: 10, stillHeld: [] });
    expect(follower.served.services.size).to.equal(2);
    expect(follower.state().kind).to.equal('following');
  });

  it('removes nothing when the registry is lost, and gives up only owners who have published again', async () => {
    await publish('swarm/a', 'manual/b');
    const follower = await follow();
    await serves(follower, 'swarm/a', 'manual/b');
    await registry.store.transact([
      { kind: 'delete', key: layout.head },
      { kind: 'delete', key: layout.documentKey('services', 'swarm/a') },
      { kind: 'delete', key: layout.documentKey('services', 'manual/b') },
    ]);
    await eventually('the head is missed', () => follower.state().kind === 'holding');
    expect(follower.state()).to.include({ reason: 'head-missing', held: 2 });
    await publish('swarm/c');
    await serves(follower, 'swarm/c');
    expect(follower.state()).to.include({ reason: 'other-registry', held: 2 });
    expect(await follower.releaseHeld()).to.deep.equal({ released: 1, stillHeld: ['manual'] });
    expect([...follower.served.services.keys()].sort()).to.deep.equal(['manual/b', 'swarm/c']);
    expect(await follower.releaseHeld('manual')).to.deep.equal({ released: 1, stillHeld: [] });
  });

  it('is not ready while neither registry nor disk have said anything', async () => {
    const follower = await follow({ registry: unreachable() });
    await eventually('away', () => follower.state().kind === 'away');
    expect(follower.state()).to.include({ from: 'nothing' });
    expect(follower.hasFirstTable()).to.equal(false);
  });

  it('starts from the disk while the registry is away', async () => {
    await publish('swarm/a');
    const first = await follow();
    await serves(first, 'swarm/a');
    await first.stop();
    const second = await follow({ registry: unreachable() });
    expect(second.hasFirstTable()).to.equal(true);
    expect(second.served.services.get('swarm/a')).to.include({ origin: 'snapshot', addressesFresh: true });
    await eventually('away', () => second.state().kind === 'away');
    expect(second.state()).to.include({ from: 'snapshot' });
    expect(second.asOfMs()).to.be.a('number');
  });

  it('uses no task address of a snapshot older than a minute', async () => {
    await publish('swarm/a');
    const first = await follow();
    await serves(first, 'swarm/a');
    await first.stop();
    const later = Date.now() + 61_000;
    const second = await follow({ registry: unreachable(), now: () => later });
    expect(second.served.services.get('swarm/a')).to.include({ addressesFresh: false });
  });

  it('uses a snapshot whose time lies in the future, because the clock was set back an hour', async () => {
    await publish('swarm/a');
    const first = await follow();
    await serves(first, 'swarm/a');
    await first.stop();
    const earlier = Date.now() - 3_600_000;
    const second = await follow({ registry: unreachable(), now: () => earlier });
    expect(second.served.services.get('swarm/a')).to.include({ origin: 'snapshot', addressesFresh: true });
  });

  it('has its first table once that is in force, not when the registry has given it', async () => {
    await publish('swarm/a');
    const given = Promise.withResolvers<void>();
    const inForce = Promise.withResolvers<void>();
    const follower = await follow({
      onChange: async ({ changes: { size } }) => {
        if (size === 0) return;
        given.resolve();
        await inForce.promise;
      },
    });
    await given.promise;
    expect(follower.hasFirstTable()).to.equal(false);
    inForce.resolve();
    await eventually('the first table', () => follower.hasFirstTable());
    expect(follower.state().kind).to.equal('following');
  });

  it('follows on, and still counts a loss, when the clock jumps an hour back and forth', async () => {
    const keys = Array.from({ length: 12 }, (_, at): ServiceKey => `swarm/s${at}`);
    await publish(...keys);
    let offMs = 0;
    const follower = await follow({ now: () => Date.now() + offMs });
    await serves(follower, ...keys);
    for (const jumpMs of [3_600_000, -3_600_000, 0]) {
      offMs = jumpMs;
      await publish('swarm/new');
      await serves(follower, ...keys, 'swarm/new');
      expect(follower.state().kind).to.equal('following');
    }
    await registry.store.transact(keys.map((key) => ({ kind: 'delete', key: layout.documentKey('services', key) })));
    await eventually('holding', () => follower.state().kind === 'holding');
    expect(follower.state()).to.include({ reason: 'mass-loss', held: 12 });
  });

  it('starts without a snapshot that is broken', async () => {
    await writeFile(snapshotPath(dataDir, 'swarmgate'), 'broken');
    await publish('swarm/a');
    await serves(await follow(), 'swarm/a');
  });

  it('refuses to read again while the registry is away', async () => {
    const follower = await follow({ registry: unreachable() });
    await eventually('away', () => follower.state().kind === 'away');
    let refusal: unknown;
    await follower.readAgain().catch((error: unknown) => {
      refusal = error;
    });
    expect(refusal).to.have.property('code', 'registry-unreachable');
  });
});
