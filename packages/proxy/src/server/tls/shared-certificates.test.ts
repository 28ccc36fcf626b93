import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyValueStore, openEmbeddedStore, type SecretsKey, secretsKeyOf } from '@swarmgate/registry';
import { silentLogger, Tasks } from '@swarmgate/runtime';
import { expect } from 'chai';
import { until } from '../../../test/behaviour-rig.ts';
import { testCertificate } from '../../../test/test-certificate.ts';
import { CertificateStore } from './certificate-store.ts';
import { SharedCertificates } from './shared-certificates.ts';

describe('certificates that all replicas share', () => {
  const prefix = 'swarmgate/certs/';
  const keyOf = (fill: number): SecretsKey => {
    const key = secretsKeyOf(Buffer.alloc(32, fill).toString('base64'));
    if (key === undefined) throw new Error('not a key');
    return key;
  };
  let directory: string;
  let store: KeyValueStore;
  let replicas: SharedCertificates[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shared-certificates-'));
    store = openEmbeddedStore({ dataDir: directory });
    replicas = [];
  });
  afterEach(async () => {
    for (const replica of replicas) await replica.stop();
    await store.close();
    await rm(directory, { recursive: true });
  });

  function replica(keys: readonly SecretsKey[]) {
    const certificates = new CertificateStore();
    const tasks = new Tasks({ logger: silentLogger });
    const shared = new SharedCertificates({ store, prefix, keys, certificates, logger: silentLogger, tasks });
    shared.start();
    replicas.push(shared);
    return { certificates, shared };
  }

  it('are served by every replica once one has stored them', async () => {
    const [one, other] = [replica([keyOf(1)]), replica([keyOf(1)])];
    const shop = await testCertificate(['shop.example']);
    const response = await one.shared.put('shop', shop.pem, 'test');
    expect(response).to.deep.equal({ ok: true, message: 'shop is served for shop.example' });
    expect(one.certificates.find('shop.example')?.name).to.equal('shop');
    await until(() => other.certificates.find('shop.example')?.name === 'shop');
    // One that starts later finds it, too.
    const late = replica([keyOf(1)]);
    await until(() => late.certificates.find('shop.example')?.name === 'shop');
  });

  it('are replaced without a gap', async () => {
    const [one, other] = [replica([keyOf(1)]), replica([keyOf(1)])];
    await one.shared.put('shop', (await testCertificate(['shop.example'])).pem, 'test');
    await until(() => other.certificates.find('shop.example') !== undefined);
    const before = other.certificates.find('shop.example');
    await one.shared.put('shop', (await testCertificate(['shop.example'])).pem, 'test');
    await until(() => other.certificates.find('shop.example') !== before);
    expect(other.certificates.find('shop.example')?.name).to.equal('shop');
  });

  it('never stand in the registry with a readable key', async () => {
    const one = replica([keyOf(1)]);
    const shop = await testCertificate(['shop.example']);
    await one.shared.put('shop', shop.pem, 'test');
    const stored = await store.get(`${prefix}shop`);
    expect(stored?.value).to.include('BEGIN CERTIFICATE');
    expect(stored?.value).not.to.include('PRIVATE');
    expect(stored?.value).not.to.include(shop.key.split('\n')[1]?.trim());
  });

  it('cannot be stored without SECRETS_KEY, and the response names it', async () => {
    const one = replica([]);
    const response = await one.shared.put('shop', (await testCertificate(['shop.example'])).pem, 'test');
    expect(response.ok).to.equal(false);
    expect(response.message).to.include('SECRETS_KEY');
    expect(await store.get(`${prefix}shop`)).to.equal(undefined);
  });

  it('are refused when they cannot be served', async () => {
    const one = replica([keyOf(1)]);
    const response = await one.shared.put('shop', 'nonsense', 'test');
    expect(response).to.deep.equal({ ok: false, message: 'shop holds no certificate' });
  });

  it('stay in service where another replica has lost the key', async () => {
    const [one, stranger] = [replica([keyOf(1)]), replica([keyOf(2)])];
    await one.shared.put('shop', (await testCertificate(['shop.example'])).pem, 'test');
    await one.shared.put('blog', (await testCertificate(['blog.example'])).pem, 'test');
    const rotating = replica([keyOf(2), keyOf(1)]);
    await until(() => rotating.certificates.find('blog.example') !== undefined);
    expect(stranger.certificates.isEmpty).to.equal(true);
  });
});
