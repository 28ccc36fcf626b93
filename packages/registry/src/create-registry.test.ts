import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { rejection } from '../test/store-contract.ts';
import { openRegistry, type RegistrySettings } from './create-registry.ts';
import type { Registry } from './registry.ts';

const signal = new AbortController().signal;

describe('opening the registry that the settings name', () => {
  let dataDir: string;
  const opened: Registry[] = [];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'swarmgate-open-'));
  });

  afterEach(async () => {
    for (const registry of opened.splice(0)) await registry.store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function open(settings: Partial<RegistrySettings> = {}): Promise<Registry> {
    const registry = await openRegistry(
      {
        consulAddress: undefined,
        consulToken: undefined,
        consulSsl: false,
        consulCaCert: undefined,
        consulClientCert: undefined,
        consulClientKey: undefined,
        dataDir: join(dataDir, 'made', 'when-missing'),
        instanceName: 'edge',
        ...settings,
      },
      silentLogger,
    );
    opened.push(registry);
    return registry;
  }

  it('is a file in DATA_DIR without Consul’s address, and exists from the start', async () => {
    const registry = await open();
    expect(registry.store.kind).to.equal('embedded');
    expect(await registry.read(signal)).to.have.nested.property('snapshot.sequence', 0);
  });

  it('stays the same registry when it is opened again', async () => {
    const first = await open();
    const before = await first.read(signal);
    await first.store.close();
    expect(await (await open()).read(signal)).to.have.deep.nested.property(
      'snapshot.registryId',
      before.kind === 'snapshot' ? before.snapshot.registryId : '',
    );
  });

  it('is refused to a second opener', async () => {
    await open();
    expect(await rejection(open())).to.have.property('code', 'registry-held');
  });

  it('is Consul with its address, whether it responds or not', async () => {
    const registry = await open({ consulAddress: '127.0.0.1:1', consulSsl: true });
    expect(registry.store).to.deep.include({ kind: 'consul', description: 'consul at https://127.0.0.1:1' });
    expect(await rejection(registry.read(signal))).to.have.property('code', 'registry-unreachable');
  });

  it('names the certificate file that cannot be read', async () => {
    const consulCaCert = join(dataDir, 'none.pem');
    const error = await rejection(open({ consulAddress: 'consul', consulCaCert }));
    expect(error).to.have.property('code', 'registry-refused');
    expect(error).to.have.property('message', `CONSUL_CACERT=${consulCaCert} cannot be read`);
  });

  it('keeps the token out of its errors', async () => {
    const consulToken = 'very-secret-token';
    const registry = await open({ consulAddress: '127.0.0.1:1', consulToken });
    const error = await rejection(registry.read(signal));
    const reported = [];
    for (let each: unknown = error; each instanceof Error; each = each.cause) {
      reported.push(each.message, String(each.stack), JSON.stringify(each));
    }
    expect(reported.join()).to.not.contain(consulToken);
  });

  it('refuses a file that is not a registry', async () => {
    await writeFile(join(dataDir, 'registry.sqlite'), 'x'.repeat(4_096));
    expect(await rejection(open({ dataDir }))).to.have.property('code', 'registry-refused');
  });
});
