import { expect } from 'chai';
import { changeEvents, currentEvent, eventId, mostEventLength, versionOf } from './item-events.ts';
import { type ItemKind, ItemVersions, itemKinds } from './item-versions.ts';

/** Of a client that may see all; others get `openMaintenance` in place of `maintenance`, under its name. */
const kinds = itemKinds.filter((kind) => kind !== 'openMaintenance');
const all: ReadonlySet<ItemKind> = new Set(kinds);

/** What a client makes of events: items by kind and name. */
function applied(held: Map<string, string>, events: Iterable<string>): Map<string, string> {
  for (const event of events) {
    const data = JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '') as Record<string, Record<string, unknown>>;
    for (const [kind, items] of Object.entries(data))
      for (const [name, value] of Object.entries(items)) {
        if (value === null) held.delete(`${kind} ${name}`);
        else held.set(`${kind} ${name}`, JSON.stringify(value));
      }
  }
  return held;
}

describe('versions of items', () => {
  it('name what is newer than a version, and nothing that was put again unchanged', () => {
    const items = new ItemVersions();
    items.put('services', 'a/b', '1');
    items.put('problems', 'a/b', '[]');
    const before = items.version;
    items.put('services', 'a/b', '1');
    expect(items.version).to.equal(before);
    items.put('services', 'a/c', '2');
    expect(items.since(before, all)).to.deep.equal([{ kind: 'services', name: 'a/c' }]);
    expect(items.since(before, new Set(['problems']))).to.deep.equal([]);
  });

  it('come in the order of kinds, so that a page has its status first', () => {
    const items = new ItemVersions();
    items.put('numbers', 'a/b', '1');
    items.put('services', 'a/b', '1');
    items.put('status', '', '1');
    expect(items.since(0, all)?.map(({ kind }) => kind)).to.deep.equal(['status', 'services', 'numbers']);
  });

  it('name what is gone to a client that had it, and to no other', () => {
    const items = new ItemVersions();
    items.put('services', 'a/b', '1');
    const before = items.version;
    items.keepOnly('services', new Set());
    expect(items.since(before, all)).to.deep.equal([{ kind: 'services', name: 'a/b' }]);
    expect(items.since(0, all)).to.deep.equal([]);
    expect(items.textOf({ kind: 'services', name: 'a/b' })).to.equal(undefined);
  });

  it('keep few that are gone: a client from before has to read all again', () => {
    const items = new ItemVersions(2);
    items.put('status', '', '1');
    for (const name of ['a', 'b', 'c', 'd']) items.put('services', name, '1');
    const before = items.version;
    items.keepOnly('services', new Set(['a']));
    expect(items.since(before, all)).to.equal(undefined);
    expect(items.since(items.version - 1, all)).to.deep.equal([{ kind: 'services', name: 'd' }]);
    expect(items.since(0, all)?.map(({ name }) => name)).to.deep.equal(['', 'a']);
  });

  it('keep one that came back when its former end is dropped', () => {
    const items = new ItemVersions(1);
    items.put('services', 'a', '1');
    items.keepOnly('services', new Set());
    items.put('services', 'a', '2');
    items.put('services', 'b', '1');
    items.keepOnly('services', new Set(['a']));
    items.put('services', 'c', '1');
    items.keepOnly('services', new Set(['a']));
    expect(items.textOf({ kind: 'services', name: 'a' })).to.equal('2');
  });

  it('bring a client from any version to the present state, by events of bounded size', () => {
    // Fixed seed: mulberry32.
    let seed = 17;
    const random = (below: number) => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) % below;
    };
    const items = new ItemVersions(20);
    const clients = Array.from({ length: 4 }, () => ({ at: 0, held: new Map<string, string>() }));
    for (let turn = 0; turn < 400; turn += 1) {
      const kind = kinds[random(kinds.length)] ?? 'status';
      if (random(3) === 0) items.keepOnly(kind, { has: () => random(3) > 0 });
      else items.put(kind, `s${random(30)}`, JSON.stringify('x'.repeat(random(4_000))));
      const client = clients[random(clients.length)];
      if (client === undefined || random(4) > 0) continue;
      let names = items.since(client.at, all);
      if (names === undefined) {
        client.held.clear();
        names = items.since(0, all) ?? [];
      }
      const events = [...changeEvents(items, names)];
      for (const event of events) expect(event.length).to.be.below(mostEventLength + 200);
      applied(client.held, events);
      client.at = items.version;
      const present = new Map(
        (items.since(0, all) ?? []).map((item) => [`${item.kind} ${item.name}`, items.textOf(item) ?? '']),
      );
      expect(new Map([...client.held].sort())).to.deep.equal(new Map([...present].sort()));
    }
  });
});

describe('the id of an event', () => {
  const items = new ItemVersions();
  items.put('status', '', '1');
  for (const [title, id, version] of [
    ['of this state', eventId(items, 1), 1],
    ['of another process', '0011aabb-1', 0],
    ['of a version that is still to come', eventId(items, 2), 0],
    ['that is none', 'x', 0],
    ['that is missing', undefined, 0],
  ] as const)
    it(`${title} leads to version ${version}`, () => {
      expect(versionOf(items, id)).to.equal(version);
    });

  it('comes with the end of a round alone, so that a broken round is read again', () => {
    expect(currentEvent(items, 1)).to.include(`id: ${eventId(items, 1)}\n`);
    expect([...changeEvents(items, [{ kind: 'status', name: '' }])].join('')).to.not.include('id:');
  });
});
