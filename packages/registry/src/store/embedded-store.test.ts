import { mkdtemp, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { describeStoreContract, rejection } from '../../test/store-contract.ts';
import { EmbeddedDatabase } from './embedded-database.ts';
import { openEmbeddedStore } from './embedded-store.ts';
import type { KeyValueStore } from './key-value-store.ts';

describe('embedded store', () => {
  let dataDir: string;
  const opened: KeyValueStore[] = [];
  const open = (leastSessionTtlMs?: number) => {
    const store = openEmbeddedStore({ dataDir, ...(leastSessionTtlMs === undefined ? {} : { leastSessionTtlMs }) });
    opened.push(store);
    return store;
  };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-embedded-'));
  });

  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  describeStoreContract('the embedded store', async () => ({ store: open(), prefix: 'contract/' }));

  it('keeps values and indexes when it is opened again', async () => {
    const first = open();
    await first.transact([{ kind: 'set', key: 'a', value: 'kept' }]);
    const before = await first.get('a');
    await first.close();
    expect(await open().get('a')).to.deep.equal(before);
  });

  it('names the process that has it open', () => {
    open();
    expect(() => open())
      .to.throw(`held by process ${process.pid} on `)
      .with.property('code', 'registry-held');
  });

  it('leaves a core that both need to the thread that serves requests', async function () {
    if (process.platform !== 'linux') this.skip();
    /** `undefined`: the thread has ended. */
    const niceOf = async (thread: string) => {
      const stat = await readFile(`/proc/self/task/${thread}/stat`, 'utf8').catch(() => undefined);
      // Behind the name, which may hold spaces.
      return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
    };
    const own = (await niceOf(String(process.pid))) ?? 0;
    // Threads of stores that were closed just now may still be there.
    const before = new Set(await readdir('/proc/self/task'));
    await open().get('a');
    const added = (await readdir('/proc/self/task')).filter((thread) => !before.has(thread));
    expect(await Promise.all(added.map(niceOf))).to.include(Math.min(19, own + 10));
    expect(await niceOf(String(process.pid))).to.equal(own);
  });

  it('lets the next one in after it was closed', async () => {
    await open().close();
    expect(() => open()).to.not.throw();
  });

  it('ends the sessions of a former process: deletes or releases what they held', async () => {
    const first = open();
    const replica = await first.createSession({ name: 'replica', ttlMs: 10_000, behavior: 'delete' });
    const leader = await first.createSession({ name: 'leader', ttlMs: 10_000, behavior: 'release' });
    await first.transact([
      { kind: 'lock', key: 'proxies/one', value: 'one', session: replica },
      { kind: 'lock', key: 'leader/swarm', value: 'one', session: leader },
    ]);
    // As a killed process leaves it: the file as it is, without the tidying of `close`.
    const left = await readFile(join(dataDir, 'registry.sqlite'));
    const log = await readFile(join(dataDir, 'registry.sqlite-wal'));
    await first.close();
    await writeFile(join(dataDir, 'registry.sqlite'), left);
    await writeFile(join(dataDir, 'registry.sqlite-wal'), log);
    const second = open();
    expect(await second.get('proxies/one')).to.equal(undefined);
    expect(await second.get('leader/swarm'))
      .to.deep.include({ value: 'one' })
      .and.not.have.property('session');
  });

  it('ends a session that is not renewed, and wakes who waits for its key', async () => {
    const store = open(20);
    const session = await store.createSession({ name: 'short', ttlMs: 20, behavior: 'delete' });
    await store.transact([{ kind: 'lock', key: 'a', value: '1', session }]);
    const before = await store.waitForKey('a', 0, AbortSignal.timeout(20_000));
    const after = await store.waitForKey('a', before.index, AbortSignal.timeout(20_000));
    expect(after.data).to.equal(undefined);
    expect(await store.renewSession(session)).to.equal(false);
  });

  it('refuses a file that is none of ours, and says which', async () => {
    await writeFile(
      join(dataDir, 'registry.sqlite'),
      'not a database, but long enough to be read as the header of one: '.repeat(4),
    );
    expect(() => open())
      .to.throw('registry.sqlite')
      .with.property('code', 'registry-refused');
  });

  it('makes files that its owner alone can read, in a folder of mode 700', async () => {
    dataDir = join(dataDir, 'made');
    const store = open();
    await store.transact([{ kind: 'set', key: 'a', value: '1' }]);
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await modeOf(dataDir)).to.equal('700');
    const files = await readdir(dataDir);
    expect(files).to.include.members(['registry.sqlite', 'registry.sqlite-wal', 'registry.holder']);
    for (const file of files) expect(`${file} ${await modeOf(join(dataDir, file))}`).to.equal(`${file} 600`);
  });

  it('takes the read rights of others from the files of a former version', async () => {
    for (const file of ['registry.sqlite', 'registry.holder'])
      await writeFile(join(dataDir, file), '', { mode: 0o644 });
    open();
    for (const file of ['registry.sqlite', 'registry.holder'])
      expect((await stat(join(dataDir, file))).mode & 0o777).to.equal(0o600);
  });

  describe('on a disk that refuses writes', () => {
    let store: KeyValueStore;
    const full = () => writeFile(join(dataDir, 'registry.sqlite.full'), '');
    const free = () => rm(join(dataDir, 'registry.sqlite.full'));

    beforeEach(() => {
      const thread = new URL('../../test/full-disk-thread.ts', import.meta.url);
      store = openEmbeddedStore({ dataDir, leastSessionTtlMs: 5, betweenRetriesMs: 5 }, thread);
      opened.push(store);
    });

    const lock = (key: string, session: string) => ({ kind: 'lock', key, value: session, session }) as const;
    const sessionOf = (behavior: 'release' | 'delete', ttlMs = 10_000) =>
      store.createSession({ name: 'disk', ttlMs, behavior });

    it('rejects writes with the reason, responds to reads, and takes writes again by itself', async () => {
      await store.transact([{ kind: 'set', key: 'a', value: '1' }]);
      await full();
      const error = await rejection(store.transact([{ kind: 'set', key: 'a', value: '2' }]));
      expect(error).to.have.property('code', 'registry-unreachable');
      expect(error).to.have.property('message').that.contains('database or disk is full');
      expect((await store.get('a'))?.value).to.equal('1');
      await free();
      expect((await store.transact([{ kind: 'set', key: 'a', value: '2' }])).ok).to.equal(true);
    });

    it('releases the keys of a session that ended meanwhile, and wakes who waits for them', async () => {
      const session = await sessionOf('delete');
      await store.transact([lock('a', session)]);
      await full();
      expect(await rejection(store.destroySession(session))).to.have.property('code', 'registry-unreachable');
      expect(await store.renewSession(session)).to.equal(false);
      const before = await store.waitForKey('a', 0, AbortSignal.timeout(20_000));
      const waiting = store.waitForKey('a', before.index, AbortSignal.timeout(20_000));
      await free();
      expect((await waiting).data).to.equal(undefined);
    });

    it('ends a session whose time is over without ending the process', async () => {
      const session = await sessionOf('delete', 5);
      await store.transact([lock('a', session)]);
      await full();
      while (await store.renewSession(session)) await new Promise((resolve) => setTimeout(resolve, 20));
      await free();
      const { index, data } = await store.waitForKey('a', 0, AbortSignal.timeout(20_000));
      if (data !== undefined) await store.waitForKey('a', index, AbortSignal.timeout(20_000));
      expect(await store.get('a')).to.equal(undefined);
    });

    it('counts the lock of an ended session as free, and its fence as lost', async () => {
      const [former, next] = [await sessionOf('release'), await sessionOf('release')];
      await store.transact([lock('a', former)]);
      await full();
      await rejection(store.destroySession(former));
      await free();
      expect((await store.transact([{ kind: 'check-session', key: 'a', session: former }])).ok).to.equal(false);
      expect((await store.transact([lock('a', next)])).ok).to.equal(true);
    });

    it('closes without an error and is free of its sessions when it is opened again', async () => {
      const session = await sessionOf('delete');
      await store.transact([lock('a', session)]);
      await full();
      await store.close();
      expect(await open().get('a')).to.equal(undefined);
    });
  });

  describe('on a disk that breaks and is repaired', () => {
    let store: KeyValueStore;
    const file = () => join(dataDir, 'registry.sqlite');
    const set = (value: string) => store.transact([{ kind: 'set', key: 'a', value }]);
    const isOpen = async () => {
      const descriptors = await readdir('/proc/self/fd');
      const paths = await Promise.all(descriptors.map((each) => readlink(`/proc/self/fd/${each}`).catch(() => '')));
      return paths.some((path) => path.startsWith(file()));
    };

    beforeEach(async () => {
      store = openEmbeddedStore({ dataDir }, new URL('../../test/broken-disk-thread.ts', import.meta.url));
      opened.push(store);
      await set('1');
      await writeFile(`${file()}.broken`, '');
      expect(await rejection(set('2')))
        .to.have.property('message')
        .that.contains('disk I/O error');
    });

    it('lets go of its file, so that the file system can be unmounted, and responds to reads all the same', async () => {
      expect(await isOpen()).to.equal(false);
      expect((await store.get('a'))?.value).to.equal('1');
      expect((await store.list('')).data.map(({ key }) => key)).to.deep.equal(['a']);
      expect(await rejection(set('2')))
        .to.have.property('message')
        .that.contains('it cannot be opened again');
    });

    it('takes writes again by itself, with its sessions and indexes, and wakes who waits', async () => {
      const session = await store.createSession({ name: 'disk', ttlMs: 10_000, behavior: 'delete' });
      const { index } = await store.waitForKey('a', 0, AbortSignal.timeout(20_000));
      const waiting = store.waitForKey('a', index, AbortSignal.timeout(20_000));
      await rm(`${file()}.broken`);
      expect((await store.transact([{ kind: 'lock', key: 'lock', value: 'one', session }])).ok).to.equal(true);
      expect((await set('2')).ok).to.equal(true);
      expect((await waiting).data).to.include({ value: '2' });
      expect((await waiting).index).to.be.greaterThan(index);
      await store.close();
      expect((await open().get('a'))?.value).to.equal('2');
    });

    it('takes the file’s state where a write was refused late and is in it', async () => {
      const { index } = await store.waitForKey('a', 0, AbortSignal.timeout(20_000));
      const waiting = store.waitForKey('a', index, AbortSignal.timeout(20_000));
      await rm(`${file()}.broken`);
      const beside = new EmbeddedDatabase(file());
      beside.transact([{ kind: 'set', key: 'a', value: 'late' }]);
      beside.close();
      await store.transact([{ kind: 'set', key: 'b', value: '1' }]);
      expect((await waiting).data).to.include({ value: 'late' });
    });

    it('makes no file where it is missing, and writes what an older one has lost', async () => {
      await rm(`${file()}.broken`);
      await rename(file(), `${file()}.away`);
      expect(await rejection(set('2')))
        .to.have.property('message')
        .that.contains('it is missing');
      expect(await readdir(dataDir)).not.to.include('registry.sqlite');
      new EmbeddedDatabase(file()).close();
      expect((await store.transact([{ kind: 'set', key: 'b', value: '1' }])).ok).to.equal(true);
      const all = (await store.list('')).data;
      expect(all.map(({ key, value }) => [key, value])).to.deep.equal([
        ['a', '1'],
        ['b', '1'],
      ]);
      await store.close();
      expect((await open().list('')).data).to.deep.equal(all);
    });
  });

  it('leaves the process alone while a slow disk takes a transaction', async () => {
    const store = openEmbeddedStore({ dataDir }, new URL('../../test/slow-disk-thread.ts', import.meta.url));
    opened.push(store);
    const writing = store.transact([{ kind: 'set', key: 'a', value: '1' }]);
    let isWritten = false;
    void writing.then(() => {
      isWritten = true;
    });
    let turns = 0;
    while (!isWritten) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      turns += 1;
    }
    expect((await writing).ok).to.equal(true);
    // The disk takes 300 ms: a process that waited for it would have made one turn. On a busy machine there are not many more.
    expect(turns).to.be.greaterThan(2);
  });
});
