import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyValueStore, openEmbeddedStore } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { AcmeFollower, type AcmeView } from './acme-follower.ts';
import { hasReached } from './acme-head.ts';
import { acmeKeys, certificateIdOf } from './acme-keys.ts';
import { documentFolder } from './document-folder.ts';
import { FencedWriter } from './fenced-writer.ts';

const keys = acmeKeys('edge');

describe('what the orderer writes', () => {
  let directory: string;
  let store: KeyValueStore;
  const stopping = new AbortController();
  const followers: AcmeFollower[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-acme-'));
    store = openEmbeddedStore({ dataDir: join(directory, 'registry') });
  });
  afterEach(async () => {
    for (const each of followers.splice(0)) await each.stop();
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  const takeLock = async () => {
    const session = await store.createSession({ name: 'one', ttlMs: 10_000, behavior: 'release' });
    const taken = await store.transact([{ kind: 'lock', key: keys.lock, value: '', session }]);
    if (!taken.ok) throw new Error(taken.reason);
    return { key: keys.lock, session };
  };
  const open = (fence: { key: string; session: string }) =>
    FencedWriter.open({ store, keys, fence, logger: silentLogger, signal: stopping.signal });
  const follow = async (name: string, missing: string[] = []) => {
    let view: AcmeView = { documents: new Map(), responses: [] };
    const marks: string[] = [];
    const follower = new AcmeFollower({
      store,
      keys,
      folder: documentFolder(join(directory, name), silentLogger),
      logger: silentLogger,
      apply: async (next) => {
        view = { documents: new Map(next.documents), responses: next.responses };
      },
      onServed: (mark) => marks.push(mark),
      onMissing: (documents) => missing.push(...documents.keys()),
    });
    followers.push(follower);
    await follower.start();
    return { follower, marks, missing, view: () => view };
  };
  const response = { kind: 'http-01' as const, name: 'a.example.com', token: 't', keyAuthorization: 't.x' };

  it('is refused once another process holds the lock', async () => {
    const fence = await takeLock();
    const late = await open(fence);
    await late.write({ documents: new Map([['names/a', '1']]) });
    await store.destroySession(fence.session);
    const next = await open(await takeLock());
    await next.write({ documents: new Map([['names/a', '2']]) });
    const refusal = await late.write({ documents: new Map([['names/a', '3']]) }).catch((error: unknown) => error);
    expect(refusal).to.have.property('code', 'leadership-lost');
    expect((await store.get(`${keys.prefix}names/a`))?.value).to.equal('2');
  });

  it('reaches followers with its mark, documents and responses together', async () => {
    const writer = await open(await takeLock());
    const one = await follow('one');
    const mark = await writer.write({ documents: new Map([['certificates/a', 'pem']]), addResponses: [response] });
    await until('the follower has it', () => one.marks.some((each) => hasReached(each, mark)));
    expect([...one.view().documents]).to.deep.equal([['certificates/a', 'pem']]);
    expect(one.view().responses).to.deep.equal([response]);
    const later = await writer.write({ removeResponsesOf: ['a.example.com'] });
    await until('the response is gone', () => one.marks.some((each) => hasReached(each, later)));
    expect(one.view().responses).to.deep.equal([]);
  });

  it('wakes no follower for documents that only the orderer needs', async () => {
    const writer = await open(await takeLock());
    const first = await writer.write({ documents: new Map([['names/a', '1']]) });
    const second = await writer.write({ documents: new Map([['orders/a', '1']]) });
    expect(second).to.equal(first);
  });

  it('goes together where it comes together', async () => {
    const writer = await open(await takeLock());
    const marks = await Promise.all(
      Array.from({ length: 100 }, (_, n) => writer.write({ documents: new Map([[`names/n${n}`, 'x']]) })),
    );
    expect(new Set(marks).size).to.be.at.most(4);
    expect((await store.list(`${keys.prefix}names/`)).data).to.have.length(100);
  });

  it('is served from disk where the registry is new, and offered to it', async () => {
    const writer = await open(await takeLock());
    const one = await follow('one');
    const documents = new Map([
      ['certificates/a', 'pem'],
      ['names/b', 'failed'],
    ]);
    const mark = await writer.write({ documents });
    await until('it is on disk', () => one.marks.some((each) => hasReached(each, mark)));
    await one.follower.stop();
    expect((await stat(join(directory, 'one', 'certificates', 'a.json'))).mode & 0o077).to.equal(0);
    await store.close();
    await rm(join(directory, 'registry'), { recursive: true, force: true });
    store = openEmbeddedStore({ dataDir: join(directory, 'registry') });
    const again = await follow('one');
    expect(again.view().documents.get('certificates/a')).to.equal('pem');
    await until('it is offered', () => again.missing.length > 0);
    expect(again.missing).to.deep.equal(['certificates/a']);
    // A head without it takes nothing away at once: the orderer may not have taken it over yet.
    await (await open(await takeLock())).write({ documents: new Map([['names/c', 'x']]) });
    await until('the new head is followed', () => again.view().documents.has('names/c'));
    expect([...again.view().documents.keys()].sort()).to.deep.equal(['certificates/a', 'names/c']);
  });

  for (const [what, spoil] of [
    ['no JSON', '{"version":1,'],
    ['of another shape', '{"version":1,"id":"x","documents":[]}'],
    ['empty', ''],
    ['missing', undefined],
  ] as const)
    it(`stays in force where the head is ${what}`, async () => {
      const fence = await takeLock();
      await (await open(fence)).write({ documents: new Map([['certificates/a', 'pem']]) });
      if (spoil === undefined) await store.transact([{ kind: 'delete', key: keys.head }]);
      else await store.transact([{ kind: 'set', key: keys.head, value: spoil }]);
      const next = await open(fence);
      const mark = await next.write({ documents: new Map([['names/b', 'x']]) });
      const fresh = await follow('fresh');
      await until('it is followed', () => fresh.marks.some((each) => hasReached(each, mark)));
      expect([...fresh.view().documents.keys()].sort()).to.deep.equal(['certificates/a', 'names/b']);
    });

  it('stays in force where another head is put in place of it meanwhile', async () => {
    const writer = await open(await takeLock());
    await writer.write({ documents: new Map([['certificates/a', 'pem']]) });
    const backup = { version: 1, id: 'backup', revision: 9, documents: {}, answers: [] };
    await store.transact([{ kind: 'set', key: keys.head, value: JSON.stringify(backup) }]);
    const mark = await writer.write({ documents: new Map([['names/b', 'x']]) });
    const fresh = await follow('fresh');
    await until('it is followed', () => fresh.marks.some((each) => hasReached(each, mark)));
    expect([...fresh.view().documents.keys()].sort()).to.deep.equal(['certificates/a', 'names/b']);
  });

  it('is not repeated in a loop where the registry refuses it without a reason of the lock', async () => {
    const fence = await takeLock();
    let requested = 0;
    const refusing: KeyValueStore = Object.assign(Object.create(store) as KeyValueStore, {
      get: (key: string, signal?: AbortSignal) => store.get(key, signal),
      list: (prefix: string, signal?: AbortSignal) => store.list(prefix, signal),
      transact: async () => {
        requested += 1;
        return { ok: false as const, failed: [1], reason: 'moved' };
      },
    });
    const signal = AbortSignal.timeout(1_000);
    const writer = await FencedWriter.open({ store: refusing, keys, fence, logger: silentLogger, signal });
    await writer.write({ documents: new Map([['names/a', '1']]) }).catch(() => undefined);
    expect(requested).to.be.within(2, 8);
  });

  it('stays in force on a disk that takes no files', async () => {
    const writer = await open(await takeLock());
    const follower = await follow('registry/registry.sqlite/none');
    const mark = await writer.write({ documents: new Map([['certificates/a', 'pem']]) });
    await until('it is served', () => follower.marks.some((each) => hasReached(each, mark)));
  });

  const reached = [
    ['r:5', 'r:5', true],
    ['r:6', 'r:5', true],
    ['r:4', 'r:5', false],
    ['other:9', 'r:5', false],
    [undefined, 'r:5', false],
  ] as const;
  for (const [mark, required, isReached] of reached)
    it(`${isReached ? 'is' : 'is not'} served at ${required} by a replica at ${mark}`, () => {
      expect(hasReached(mark, required)).to.equal(isReached);
    });

  it('has one key for the same names, which Consul takes', () => {
    expect(certificateIdOf(['a.example.com'])).to.equal('a.example.com');
    expect(certificateIdOf(['*.example.com'])).to.equal('_wildcard.example.com');
    expect(certificateIdOf(['2606:4700::1111'])).to.equal('2606-4700--1111');
    expect(certificateIdOf(['b', 'a']))
      .to.equal(certificateIdOf(['a', 'b']))
      .and.match(/^a-[0-9a-f]{8}$/);
  });
});
