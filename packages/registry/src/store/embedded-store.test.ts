import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { describeStoreContract } from '../../test/store-contract.ts';
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

  it('lets the next one in after it was closed', async () => {
    await open().close();
    expect(() => open()).to.not.throw();
  });

  it('forgets the sessions of a former process: deletes or releases what they held', async () => {
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
});
