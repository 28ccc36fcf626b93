import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  contendForLeadership,
  createRegistry,
  createSealer,
  type KeyValueStore,
  keyLayout,
  openEmbeddedStore,
  type Registry,
  RegistryError,
  type RegistrySnapshot,
} from '@swarmgate/registry';
import { type Logger, silentLogger, Tasks } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { aNode, aService, aTask } from '../../test/swarm-fixtures.ts';
import { createTranslator } from '../labels/translator.ts';
import type { Observation } from '../swarm/observation.ts';
import type { SwarmService, SwarmTask } from '../swarm/swarm-objects.ts';
import { viewOf } from '../swarm/swarm-view.ts';
import { createPublisher, type Publisher, type PublisherOptions } from './publisher.ts';

describe('the publisher', () => {
  let directory: string;
  let store: KeyValueStore;
  let registry: Registry;
  let transactions: number;
  let unfenced: number;
  // The faults that the real store cannot show on demand: it is away, or it wrote and the response was lost.
  let isAway: boolean;
  let onLostResponse: (() => void) | undefined;
  // Delays what is followed, as over a network.
  let following: Promise<void>;
  let publisher: Publisher;
  let stopAll: () => Promise<void>;
  let translate: (
    services: readonly SwarmService[],
    more?: { tasks?: readonly SwarmTask[]; swarmId?: string; changed?: Observation['changed'] },
  ) => void;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'swarmgate-publisher-'));
    const embedded = openEmbeddedStore({ dataDir: directory });
    transactions = 0;
    unfenced = 0;
    isAway = false;
    onLostResponse = undefined;
    following = Promise.resolve();
    store = {
      ...bound(embedded),
      async transact(operations, signal) {
        const isPublication = operations.some((operation) => operation.key.endsWith('/head'));
        if (isAway && isPublication) throw RegistryError.of('registry-unreachable', 'the registry is away');
        if (isPublication) {
          transactions++;
          unfenced += operations[0]?.kind === 'check-session' ? 0 : 1;
        }
        const result = await embedded.transact(operations, signal);
        const loseResponse = onLostResponse;
        if (!isPublication || loseResponse === undefined) return result;
        onLostResponse = undefined;
        loseResponse();
        throw RegistryError.of('registry-unreachable', 'the response was lost');
      },
    };
    const real = createRegistry({ store, instance: 'test' });
    registry = {
      ...real,
      async *follow(options) {
        for await (const change of real.follow(options)) {
          await following;
          yield change;
        }
      },
    };
    start();
  });

  afterEach(async () => {
    await stopAll();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function start(more: Partial<PublisherOptions> = {}) {
    const layout = keyLayout('test');
    const leadership = contendForLeadership({
      store,
      key: layout.leader('swarm'),
      heartbeatKey: layout.leaderHeartbeat('swarm'),
      name: 'test',
      logger: silentLogger,
    });
    const stopping = new AbortController();
    publisher = createPublisher({
      registry,
      leadership,
      owner: 'swarm',
      by: 'test',
      sealer: createSealer([]),
      logger: silentLogger,
      signal: stopping.signal,
      tasks: new Tasks({ logger: silentLogger }),
      ...more,
    });
    const options = { notifyLabel: 'com.df.notify', serviceNamePrefix: '', owner: 'swarm', separator: ',' };
    const translator = createTranslator(options, { onProblems: () => undefined });
    translate = (services, { tasks = [], swarmId = 'swarm-1', changed = 'all' } = {}) => {
      const view = viewOf({ swarmId, services, tasks, nodes: [aNode()], networks: [] });
      const translated = translator.take({ view, changed, cause: 'listing' }, new Date());
      publisher.setDesired({ ...translated, evidence: view, fromListing: true });
    };
    stopAll = async () => {
      await publisher.stop();
      await leadership.stop();
    };
  }

  const read = async (): Promise<RegistrySnapshot> => {
    const response = await registry.read(AbortSignal.timeout(20_000));
    if (response.kind !== 'snapshot') throw new Error('no head');
    return response.snapshot;
  };
  const settled = () =>
    until('everything is written', () => {
      const { waiting, reconciled, failure, registry } = publisher.status();
      return waiting === 0 && reconciled && failure === undefined && registry === 'known';
    });
  const pathOf = async (service: string) => {
    const stored = (await read()).services.get(`swarm/${service}`);
    return stored?.ok ? stored.document.destinations[0]?.servicePath?.[0] : undefined;
  };
  const withPath = (path: string, versionIndex: number) =>
    aService({ versionIndex, labels: { ...aService().labels, 'com.df.servicePath': path } });

  it('makes a registry that exists although there is nothing to publish', async () => {
    translate([]);
    await settled();
    expect((await read()).services.size).to.equal(0);
  });

  it('writes many services in few transactions, and nothing the second time', async () => {
    const services = Array.from({ length: 50 }, (_, n) => aService({ id: `s${n}`, name: `web-${n}` }));
    translate(services);
    await settled();
    expect((await read()).services.size).to.equal(50);
    const { sequence } = await read();
    expect(sequence).to.be.below(10);
    expect(unfenced).to.equal(0);
    translate(services);
    await settled();
    expect((await read()).sequence).to.equal(sequence);
  });

  it('explains at debug level why it does not publish, and what it publishes', async () => {
    await stopAll();
    const lines: string[] = [];
    const debug = (fields: { readonly reason?: string; readonly changes?: unknown }, text: string) =>
      lines.push([text, fields.reason, fields.changes && JSON.stringify(fields.changes)].filter(Boolean).join(': '));
    const ignore = () => {};
    start({ logger: { debug, info: ignore, warn: ignore, error: ignore } as unknown as Logger });
    await until('it waits for the Swarm', () => lines.includes('not publishing: the Swarm was not read yet'));
    translate([aService()]);
    const written = [{ service: 'go-demo', writes: ['definition', 'endpoints'] }];
    await until('it publishes', () => lines.some((line) => line.startsWith('publishing: ')));
    expect(lines.find((line) => line.startsWith('publishing: '))).to.equal(`publishing: ${JSON.stringify(written)}`);
    await settled();
    await until('it is idle', () => lines.includes('not publishing: nothing changed'));
    translate([aService({ versionIndex: 4 })], { swarmId: 'swarm-2' });
    await until('it refuses', () =>
      lines.includes('not publishing: the state of the Swarm is not accepted: other-swarm'),
    );
  });

  it('ends at the last state, whatever came in between', async () => {
    for (let round = 1; round <= 60; round++) {
      translate([withPath(round % 2 === 0 ? '/a' : '/b', 10 + round)], { changed: new Set(['service-1']) });
      if (round % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until('the last path', async () => (await pathOf('go-demo')) === '/a');
    await until('nothing waits', () => publisher.status().waiting === 0);
    expect(await pathOf('go-demo')).to.equal('/a');
  });

  it('keeps the age of a match while the service changes around it', async () => {
    translate([aService()]);
    await settled();
    const first = (await read()).services.get('swarm/go-demo');
    translate([aService({ versionIndex: 20, labels: { ...aService().labels, 'com.df.aclName': '01' } })]);
    await until('the change', async () => {
      const stored = (await read()).services.get('swarm/go-demo');
      return stored?.ok && stored.document.aclName === '01';
    });
    const second = (await read()).services.get('swarm/go-demo');
    expect(second?.ok && second.document.destinations[0]?.since).to.equal(
      first?.ok && first.document.destinations[0]?.since,
    );
  });

  it('keeps the desired state while the registry is unreachable, and writes the last one afterwards', async () => {
    translate([withPath('/one', 11)]);
    await settled();
    isAway = true;
    translate([withPath('/two', 12)]);
    await until('the failure', () => publisher.status().failure);
    translate([withPath('/three', 13)]);
    isAway = false;
    await settled();
    expect(await pathOf('go-demo')).to.equal('/three');
    expect(publisher.status().failure).to.equal(undefined);
  });

  it('retries by itself', async () => {
    translate([withPath('/one', 11)]);
    await settled();
    isAway = true;
    translate([withPath('/two', 12)]);
    await until('the failure', () => publisher.status().failure);
    isAway = false;
    await settled();
    expect(await pathOf('go-demo')).to.equal('/two');
  });

  it('returns to the first state when the result of writing the second is unknown', async () => {
    translate([withPath('/one', 11)]);
    await settled();
    const { promise, resolve } = Promise.withResolvers<void>();
    following = promise;
    onLostResponse = () => translate([withPath('/one', 13)], { changed: new Set(['service-1']) });
    translate([withPath('/two', 12)], { changed: new Set(['service-1']) });
    await until('the second was written', () => onLostResponse === undefined);
    await settled();
    resolve();
    expect(await pathOf('go-demo')).to.equal('/one');
  });

  it('writes nothing again that was written by the write that failed, nor does the next leader', async () => {
    translate([withPath('/one', 11)]);
    await settled();
    // Meanwhile the service changed in something that is none of ours, which counts its version on.
    onLostResponse = () => translate([withPath('/two', 13)], { changed: new Set(['service-1']) });
    translate([withPath('/two', 12)], { changed: new Set(['service-1']) });
    await until('the second was written', () => onLostResponse === undefined);
    await settled();
    const { sequence } = await read();
    expect(sequence).to.equal(2);
    await stopAll();
    start();
    translate([withPath('/two', 14)]);
    await settled();
    expect((await read()).sequence).to.equal(sequence);
  });

  it('ends at the first state when that returns before the second was followed', async () => {
    const active = { tasks: [aTask()], changed: new Set(['service-1']) };
    translate([aService()], active);
    await settled();
    const { promise, resolve } = Promise.withResolvers<void>();
    following = promise;
    translate([aService()], { ...active, tasks: [aTask({ desiredState: 'shutdown' })] });
    await settled();
    translate([aService()], active);
    await settled();
    resolve();
    const stored = (await read()).endpoints.get('swarm/go-demo');
    expect(stored?.ok && stored.document.tasks[0]?.state).to.equal('active');
  });

  it('publishes nothing from a listing that is older than what is registered', async () => {
    translate([aService({ versionIndex: 100 })], { tasks: [aTask({ versionIndex: 101 })] });
    await settled();
    const { sequence } = await read();
    translate([]);
    await until('the judgement', () => publisher.status().judgement.kind === 'stale');
    expect((await read()).sequence).to.equal(sequence);
    // A newer listing with the same content is accepted at once.
    translate([aService({ id: 'other', name: 'other', versionIndex: 120, labels: {} })]);
    await until('the removal', async () => (await read()).services.size === 0);
  });

  it('accepts a stale listing when the manager still returns it after the hold', async () => {
    translate([aService({ versionIndex: 100 })]);
    await settled();
    await stopAll();
    // The first one begins the hold, and one that is requested at its end is accepted.
    start({ staleHoldMs: 10, onListingNeeded: () => translate([]) });
    translate([]);
    await until('the removal', async () => (await read()).services.size === 0);
  });

  it('keeps a manual edit until the service changes, and repairs what cannot be parsed', async () => {
    translate([withPath('/label', 11)]);
    await settled();
    const key = 'test/services/swarm/go-demo';
    const stored = await store.get(key);
    const edit = (value: string) => store.transact([{ kind: 'set', key, value }]);
    await edit((stored?.value ?? '').replace('/label', '/edited'));
    translate([withPath('/label', 11)]);
    await settled();
    expect(await pathOf('go-demo')).to.equal('/edited');
    await edit('{ not json');
    await until('the repair', async () => {
      translate([withPath('/label', 11)]);
      return (await pathOf('go-demo')) === '/label';
    });
    translate([withPath('/next', 12)]);
    await until('the change', async () => (await pathOf('go-demo')) === '/next');
  });

  it('publishes for another Swarm only after it was adopted', async () => {
    translate([withPath('/old', 11)]);
    await settled();
    await stopAll();
    start();
    translate([withPath('/new', 11)], { swarmId: 'swarm-2' });
    await until('the judgement', () => publisher.status().judgement.kind === 'other-swarm');
    expect(await pathOf('go-demo')).to.equal('/old');
    publisher.adopt();
    await until('the new path', async () => (await pathOf('go-demo')) === '/new');
  });

  it('publishes other services while the passwords of one are hashed, and that one afterwards', async () => {
    await stopAll();
    start({ sealWaitMs: 50 });
    const users = Array.from({ length: 40 }, (_, at) => `user-${at}:hush-${at}`).join(',');
    const many = aService({ id: 'many', name: 'many', labels: { ...aService().labels, 'com.df.users': users } });
    const after = aService({ id: 'after', name: 'zebra' });
    translate([many, after]);
    const found = async () => [...(await read()).services.keys()].map((key) => key.split('/')[1]);
    await until('the other one is published', async () => (await found().catch((): string[] => [])).includes('zebra'));
    expect(await found()).to.deep.equal(['zebra']);
    expect(publisher.status().waiting).to.be.above(0);
    await until('so is the one with passwords', async () => (await found()).includes('many'));
    await settled();
    const stored = (await read()).services.get('swarm/many');
    expect(
      stored?.ok && stored.document.users?.filter(({ passwordHash }) => passwordHash !== undefined),
    ).to.have.length(40);
  });

  it('seals passwords, and keeps the hash of one that did not change', async () => {
    const labels = { ...aService().labels, 'com.df.users': 'admin:s3cret' };
    translate([aService({ labels })]);
    await settled();
    const hashOf = async () => {
      const stored = (await read()).services.get('swarm/go-demo');
      return stored?.ok ? stored.document.users?.[0]?.passwordHash : undefined;
    };
    const hash = await hashOf();
    expect(hash).to.be.a('string').and.not.to.contain('s3cret');
    translate([aService({ versionIndex: 12, labels: { ...labels, 'com.df.aclName': '01' } })]);
    await until('the change', async () => {
      const stored = (await read()).services.get('swarm/go-demo');
      return stored?.ok && stored.document.aclName === '01';
    });
    expect(await hashOf()).to.equal(hash);
  });

  it('writes a hundred changes of one moment in a few transactions', async () => {
    translate([]);
    await settled();
    const before = transactions;
    for (let n = 0; n < 100; n++) {
      translate(Array.from({ length: n + 1 }, (_, each) => aService({ id: `s${each}`, name: `web-${each}` })));
    }
    await settled();
    expect((await read()).services.size).to.equal(100);
    expect(transactions - before).to.be.below(20);
  });
});

/** The store's methods, bound, so that one of them can be replaced. */
function bound(store: KeyValueStore): KeyValueStore {
  return {
    kind: store.kind,
    description: store.description,
    get: (...args) => store.get(...args),
    getMany: (...args) => store.getMany(...args),
    list: (...args) => store.list(...args),
    keys: (...args) => store.keys(...args),
    waitForKey: (...args) => store.waitForKey(...args),
    waitForNames: (...args) => store.waitForNames(...args),
    transact: (...args) => store.transact(...args),
    createSession: (...args) => store.createSession(...args),
    renewSession: (...args) => store.renewSession(...args),
    destroySession: (...args) => store.destroySession(...args),
    close: () => store.close(),
  };
}
