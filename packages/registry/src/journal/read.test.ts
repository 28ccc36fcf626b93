import { expect } from 'chai';
import { openRegistryUnderTest, type RegistryUnderTest } from '../../test/embedded-registry.ts';
import { definitionOf } from '../../test/sample-definition.ts';
import type { KeyValueStore } from '../store/key-value-store.ts';
import { type CompleteRead, readEverything } from './read.ts';

const { signal } = new AbortController();

describe('a full read of documents of which most are known', () => {
  let under: RegistryUnderTest;
  /** Keys whose values the list left out. */
  let leftOut: string[];
  /** Called behind each list. */
  let onListed: () => void;
  beforeEach(async () => {
    under = await openRegistryUnderTest();
    leftOut = [];
    onListed = () => undefined;
    await publish('a', 80);
    await publish('b', 80);
  });
  afterEach(() => under.remove());

  const publish = (service: string, port: number) => {
    const definition = { document: definitionOf('swarm', service, port) };
    return under.registry.publish([{ owner: 'swarm', service, definition }], { by: 'tests', signal });
  };

  /** Leaves out the values that its caller knows, as Consul's does. */
  const store = (): KeyValueStore =>
    new Proxy(under.store, {
      get(target, property) {
        if (property !== 'list') {
          const value: unknown = Reflect.get(target, property, target);
          return typeof value === 'function' ? value.bind(target) : value;
        }
        return async (...[prefix, aborted, isKnown = () => false]: Parameters<KeyValueStore['list']>) => {
          const { index, data } = await target.list(prefix, aborted);
          const listed = data.map((each) => {
            if (!isKnown(each.key, each.index)) return each;
            leftOut.push(each.key);
            return { ...each, value: '' };
          });
          onListed();
          return { index, data: listed };
        };
      },
    });

  const read = async (known?: CompleteRead, isInterrupted = false) =>
    (await readEverything(store(), under.layout, known && { ...known, isInterrupted }, signal)) as CompleteRead;
  const portsOf = ({ snapshot }: CompleteRead) =>
    [...snapshot.services].map(([key, found]) => [key, found.ok && found.document.destinations[0]?.port]);

  it('takes those over, and reads the others', async () => {
    const first = await read();
    expect(leftOut).to.deep.equal([]);
    await publish('b', 81);
    const second = await read(first);
    expect(leftOut).to.deep.equal([`${under.layout.services}swarm/a`]);
    expect(portsOf(second)).to.deep.equal([
      ['swarm/a', 80],
      ['swarm/b', 81],
    ]);
  });

  it('takes over what was known when the list was read, whatever is followed meanwhile', async () => {
    const first = await read();
    const documents = new Map(first.documents);
    onListed = () => documents.clear();
    expect(portsOf(await read({ ...first, documents }))).to.deep.equal(portsOf(first));
  });

  it('knows none of another registry, nor of a later state', async () => {
    const first = await read();
    await read({ ...first, head: { ...first.head, registryId: 'another' } });
    await read({ ...first, head: { ...first.head, sequence: first.head.sequence + 1 } });
    expect(leftOut).to.deep.equal([]);
  });

  it('knows none of a registry that was restored from a backup and written again, whatever its sequence is by now', async () => {
    const first = await read();
    await publish('b', 81);
    await read({ ...first, headIndex: first.headIndex + 1 });
    expect(leftOut).to.deep.equal([]);
  });

  it('knows none behind a gap of the journal where the store was away: a backup may be in another one', async () => {
    const first = await read();
    const farBehind = { ...first, head: { ...first.head, sequence: first.head.sequence - 1 } };
    await publish('b', 81);
    expect(await read({ ...farBehind, head: { ...farBehind.head, sequence: -1 } }, true)).to.have.property(
      'kind',
      'full',
    );
    expect(leftOut).to.deep.equal([]);
    await read({ ...farBehind, head: { ...farBehind.head, sequence: -1 } });
    expect(leftOut).to.deep.equal([`${under.layout.services}swarm/a`]);
  });
});
