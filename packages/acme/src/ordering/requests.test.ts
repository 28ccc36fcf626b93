import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyValueStore, openEmbeddedStore } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { generate } from 'selfsigned';
import { acmeKeys, documentKeys } from '../storage/acme-keys.ts';
import { type CertificateDocument, certificateSchema, readDocument } from '../storage/documents.ts';
import { FencedWriter } from '../storage/fenced-writer.ts';
import { leaveRequests } from '../storage/inbox.ts';
import { certificateDocument, text } from './order-documents.ts';
import { Requests } from './requests.ts';
import { UsableCertificates } from './usable-certificates.ts';

const keys = acmeKeys('edge');
const secretsKeys = [{ id: '00000001', bytes: randomBytes(32) }] as const;
const foreignKeys = [{ id: '00000002', bytes: randomBytes(32) }] as const;
const day = 86_400_000;

describe('certificates that the orderer is to take over', () => {
  let directory: string;
  let store: KeyValueStore;
  let writer: FencedWriter;
  let stopping: AbortController;
  let requests: Requests;
  let following: Promise<void>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-requests-'));
    store = openEmbeddedStore({ dataDir: directory });
    stopping = new AbortController();
    const session = await store.createSession({ name: 'one', ttlMs: 10_000, behavior: 'release' });
    await store.transact([{ kind: 'lock', key: keys.lock, value: '', session }]);
    const fence = { key: keys.lock, session };
    writer = await FencedWriter.open({ store, keys, fence, logger: silentLogger, signal: stopping.signal });
    requests = new Requests({
      store,
      keys,
      writer,
      issuerName: (id) => id,
      usable: new UsableCertificates(secretsKeys),
      logger: silentLogger,
      now: Date.now,
      onRequest: () => {},
    });
    following = requests.follow(stopping.signal);
  });
  afterEach(async () => {
    stopping.abort();
    // A read that is in progress rejects with the signal's reason.
    await following.catch(() => undefined);
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  const made = async (
    days: number,
    sealedWith: typeof secretsKeys | typeof foreignKeys = secretsKeys,
    name = 'a.example.com',
  ) => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
      keyType: 'ec',
      algorithm: 'sha256',
      notAfterDate: new Date(Date.now() + days * day),
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
    });
    return certificateDocument({
      names: [name],
      chain: cert,
      privateKey: key,
      issuer: 'imported',
      issuedAtMs: Date.now(),
      keys: sealedWith,
    });
  };
  const stored = (id: string) =>
    readDocument(certificateSchema, writer.documents.get(documentKeys.certificate(id)))?.serial;
  const bring = async (certificate: CertificateDocument) => {
    await leaveRequests(store, keys, [{ kind: 'adopt', certificate, by: 'x' }]);
    await until('the request is dealt with', async () => (await store.list(keys.inbox)).data.length === 0);
    return stored(certificate.id);
  };

  it('win by the later end', async () => {
    const [early, late] = [await made(30), await made(60)];
    expect(await bring(early)).to.equal(early.serial);
    expect(await bring(late)).to.equal(late.serial);
    expect(await bring(early)).to.equal(late.serial);
  });

  it('win against one that cannot be served, whatever its end', async () => {
    const good = await made(30);
    const unusable = [
      await made(60, foreignKeys),
      { ...(await made(60)), sealedKey: (await made(60)).sealedKey },
      { ...(await made(60)), serial: '01' },
    ];
    for (const each of unusable) {
      await writer.write({ documents: new Map([[documentKeys.certificate(each.id), text(each)]]) });
      expect(stored(each.id)).to.equal(each.serial);
      expect(await bring(good)).to.equal(good.serial);
    }
  });

  it('are left out where they cannot be served themselves', async () => {
    const good = await made(30);
    await bring(good);
    expect(await bring(await made(60, foreignKeys))).to.equal(good.serial);
    expect(await bring(await made(-1))).to.equal(good.serial);
  });

  it('are all there once the inbox was taken, in few transactions, each of three that give it back counted once', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `n${at}.example.com`);
    const certificates = await Promise.all(names.map((name) => made(30, secretsKeys, name)));
    const later = await made(60, secretsKeys, names[0]);
    const given = [...certificates, later, ...certificates, ...certificates].map((each) => ({
      kind: 'restore' as const,
      key: documentKeys.certificate(each.id),
      value: text(each),
      by: 'x',
    }));
    await leaveRequests(store, keys, given);
    const before = (await store.get(keys.head))?.index ?? 0;
    await requests.takeAll(stopping.signal);
    expect(certificates.map(({ id }) => stored(id))).to.deep.equal(
      certificates.map(({ serial }, at) => (at === 0 ? later.serial : serial)),
    );
    expect((await store.list(keys.inbox)).data).to.deep.equal([]);
    expect(((await store.get(keys.head))?.index ?? 0) - before).to.be.below(given.length / 4);
  });

  for (const [first, second] of [
    [60, 30],
    [30, 60],
  ] as const)
    it(`win by the later end within one transaction too: ${first} days, then ${second}`, async () => {
      const [one, other] = [await made(first), await made(second)];
      const put = (certificate: CertificateDocument, at: number) => ({
        kind: 'set' as const,
        key: `${keys.inbox}adopt-${at}`,
        value: JSON.stringify({ kind: 'adopt', certificate, by: 'x' }),
      });
      await store.transact([put(one, 0), put(other, 1)]);
      await requests.takeAll(stopping.signal);
      expect(stored(one.id)).to.equal(first > second ? one.serial : other.serial);
    });

  it('are taken until none is left, also what comes meanwhile', async () => {
    const leave = async (days: number) =>
      leaveRequests(store, keys, [{ kind: 'adopt', certificate: await made(days), by: 'x' }]);
    await leave(30);
    const write = writer.write.bind(writer);
    let more = 3;
    writer.write = async (change) => {
      if (more > 0) await leave(30 + more--);
      return write(change);
    };
    await requests.takeAll(stopping.signal);
    expect((await store.list(keys.inbox)).data).to.deep.equal([]);
  });

  it('leave a name to be renewed in the inbox until it is', async () => {
    await leaveRequests(store, keys, [{ kind: 'renew', name: 'a.example.com', by: 'x', atMs: 0 }]);
    await requests.takeAll(stopping.signal);
    expect([...requests.names([])]).to.deep.equal(['a.example.com']);
    expect((await store.list(keys.inbox)).data).to.have.length(1);
  });
});
