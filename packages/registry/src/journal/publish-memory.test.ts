import { expect } from 'chai';
import { openRegistryUnderTest, type RegistryUnderTest } from '../../test/embedded-registry.ts';
import { definitionOf, endpointsOf } from '../../test/sample-definition.ts';
import { rejection } from '../../test/store-contract.ts';
import { createRegistry } from '../create-registry.ts';
import type { Registry, ServiceChange } from '../registry.ts';
import { RegistryError } from '../registry-error.ts';
import type { KeyValueStore } from '../store/key-value-store.ts';
import { newHead } from './head.ts';
import { PublishMemory } from './publish-memory.ts';

const signal = new AbortController().signal;
const options = { by: 'tests', signal };

function changeOf(port: number, index?: number): ServiceChange {
  const document = definitionOf('swarm', 'web', port);
  return { owner: 'swarm', service: 'web', definition: index === undefined ? { document } : { document, index } };
}

const elsewhere: ServiceChange = {
  owner: 'swarm',
  service: 'else',
  definition: { document: definitionOf('swarm', 'else') },
};

describe('publishing from memory', () => {
  let under: RegistryUnderTest;
  /** Another process with the same registry. */
  let other: Registry;
  let calls: string[];
  /** What becomes of the next transaction that was applied. */
  let afterwards: (() => void) | undefined;

  beforeEach(async () => {
    calls = [];
    afterwards = undefined;
    under = await openRegistryUnderTest((store) => observed(store));
    other = createRegistry({ store: under.store, instance: under.registry.instance });
    await under.registry.publish([changeOf(1)], options);
    await under.registry.publish([changeOf(2)], options);
    calls = [];
  });

  afterEach(() => under.remove());

  function observed(store: KeyValueStore): KeyValueStore {
    return new Proxy(store, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value !== 'function') return value;
        return async (...parameters: unknown[]) => {
          calls.push(String(property));
          const response: unknown = await value.apply(target, parameters);
          if (property === 'transact') afterwards?.();
          return response;
        };
      },
    });
  }

  async function ports(): Promise<{ readonly present: number | undefined; readonly former: readonly unknown[] }> {
    const read = await other.read(signal);
    if (read.kind !== 'snapshot') throw new Error('the head is missing');
    const stored = read.snapshot.services.get('swarm/web');
    const history = await other.history('swarm/web', signal);
    return {
      present: stored?.ok ? stored.document.destinations[0]?.port : undefined,
      former: history.map(({ definition }) => definition.destinations[0]?.port),
    };
  }

  it('reads nothing that it wrote itself', async () => {
    const report = await under.registry.publish([changeOf(3)], options);
    expect(calls).to.deep.equal(['transact']);
    expect(report).to.include({ sequence: 3 });
    expect(await ports()).to.deep.equal({ present: 3, former: [2, 1] });
  });

  it('reads before it returns that nothing has to be written', async () => {
    const key = under.layout.documentKey('services', 'swarm/web');
    await under.write({ kind: 'set', key, value: JSON.stringify(definitionOf('swarm', 'web', 4711)) });
    expect(await under.registry.publish([changeOf(2)], options)).to.include({ transactions: 1 });
    expect((await ports()).present).to.equal(2);
  });

  it('reads before it leaves one document of several as it is', async () => {
    const endpoints = endpointsOf('swarm', 'web');
    await under.registry.publish([{ ...changeOf(2), endpoints }], options);
    await under.write({ kind: 'delete', key: under.layout.documentKey('endpoints', 'swarm/web') });
    await under.registry.publish([{ ...changeOf(3), endpoints }], options);
    const read = await other.read(signal);
    expect(read.kind === 'snapshot' && read.snapshot.endpoints.has('swarm/web')).to.equal(true);
  });

  it('reads what other writers wrote since, and overwrites no history of theirs', async () => {
    await other.publish([changeOf(3)], options);
    await other.publish([changeOf(4)], options);
    await under.registry.publish([changeOf(5)], options);
    expect(await ports()).to.deep.equal({ present: 5, former: [4, 3, 2, 1] });
  });

  it('overwrites no history of theirs either when they wrote what we were about to', async () => {
    await other.publish([changeOf(3)], options);
    await other.publish([changeOf(2)], options);
    expect(await under.registry.publish([changeOf(2)], options)).to.include({ transactions: 0 });
    await under.registry.publish([changeOf(5)], options);
    expect(await ports()).to.deep.equal({ present: 5, former: [2, 3, 2, 1] });
  });

  it('takes what the caller read later', async () => {
    await other.publish([changeOf(3)], options);
    const index = (await under.store.get(under.layout.documentKey('services', 'swarm/web')))?.index;
    await under.registry.publish([changeOf(4, index)], options);
    expect((await ports()).present).to.equal(4);
    const error = await rejection(under.registry.publish([changeOf(5, index)], options));
    expect(error).to.have.property('code', 'registry-conflict');
  });

  it('returns the journal’s position when there is nothing to write', async () => {
    const { sequence } = await other.publish([elsewhere], options);
    expect(await under.registry.publish([changeOf(2)], options)).to.include({ transactions: 0, sequence });
  });

  it('writes another registry after the head was lost', async () => {
    await under.write({ kind: 'delete', key: under.layout.head });
    const { sequence } = await under.registry.publish([changeOf(3)], options);
    expect(sequence).to.equal(1);
    expect((await ports()).present).to.equal(3);
  });

  it('writes nothing twice after a transaction whose response was lost', async () => {
    afterwards = () => {
      afterwards = undefined;
      throw RegistryError.of('registry-unreachable', 'the response was lost');
    };
    expect(await rejection(under.registry.publish([changeOf(3)], options))).to.have.property(
      'code',
      'registry-unreachable',
    );
    expect(await under.registry.publish([changeOf(3)], options)).to.include({ transactions: 0, sequence: 3 });
    expect(await ports()).to.deep.equal({ present: 3, former: [2, 1] });
  });

  it('takes the journal’s position from the follower where other writers moved it', async () => {
    const following = new AbortController();
    const changes = under.registry.follow({ signal: following.signal });
    await changes.next();
    await other.publish([elsewhere], options);
    await changes.next();
    calls = [];
    await under.registry.publish([changeOf(3)], options);
    expect(calls.filter((call) => call === 'transact')).to.have.lengthOf(1);
    following.abort();
    await changes.return();
  });

  it('drops what it remembers when the follower reports the registry as lost', async () => {
    const following = new AbortController();
    const changes = under.registry.follow({ signal: following.signal });
    await changes.next();
    await under.write({ kind: 'delete', key: under.layout.head });
    expect((await changes.next()).value).to.have.property('kind', 'head-missing');
    calls = [];
    await under.registry.publish([changeOf(3)], options);
    expect(calls.find((call) => !call.startsWith('wait'))).to.equal('getMany');
    following.abort();
    await changes.return();
  });
});

describe('the memory of a publisher', () => {
  const value = (key: string, characters: number) => ({ key, value: 'x'.repeat(characters), index: 1 });

  it('drops the oldest entry when it is full', () => {
    const memory = new PublishMemory();
    for (const name of ['a', 'b', 'c']) memory.setValue(value(name, 3_000_000));
    expect(['a', 'b', 'c'].map((name) => memory.value(name) !== undefined)).to.deep.equal([false, true, true]);
    memory.setValue(value('b', 10));
    memory.setValue(value('a', 3_000_000));
    expect(['a', 'b', 'c'].map((name) => memory.value(name) !== undefined)).to.deep.equal([true, true, true]);
  });

  it('takes a head that it is notified of only when it is newer, and one that was read as it is', () => {
    const memory = new PublishMemory();
    const head = newHead('r');
    memory.sawHead(head, 7);
    memory.sawHead({ ...head, sequence: 1 }, 6);
    expect(memory.head).to.deep.equal({ head, index: 7 });
    memory.setHead({ head, index: 3 });
    expect(memory.head).to.have.property('index', 3);
  });

  it('distinguishes an empty history from one that was not read', () => {
    const memory = new PublishMemory();
    expect(memory.historyNumbers('swarm/web')).to.equal(undefined);
    memory.setHistoryNumbers('swarm/web', []);
    expect(memory.historyNumbers('swarm/web')).to.deep.equal([]);
    memory.clear();
    expect(memory.historyNumbers('swarm/web')).to.equal(undefined);
  });
});
