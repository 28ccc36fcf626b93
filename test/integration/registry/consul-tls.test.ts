import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openRegistry, type Registry, type RegistrySettings } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { rejection } from '../../../packages/registry/test/store-contract.ts';
import { consulBinary, type RunningConsul, startConsul } from '../../harness/consul.ts';
import { freePort } from '../../harness/free-ports.ts';

const run = promisify(execFile);

describe('Consul over mutual TLS', () => {
  let directory: string;
  let consul: RunningConsul;
  let port: number;
  const opened: Registry[] = [];
  const file = (name: string) => join(directory, name);

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-tls-'));
    const tls = async (...words: readonly string[]) => run(await consulBinary(), ['tls', ...words], { cwd: directory });
    await tls('ca', 'create');
    await tls('cert', 'create', '-server');
    await tls('cert', 'create', '-client');
    port = await freePort();
    consul = await startConsul({
      config: {
        addresses: { https: '127.0.0.1' },
        ports: { https: port },
        ca_file: file('consul-agent-ca.pem'),
        cert_file: file('dc1-server-consul-0.pem'),
        key_file: file('dc1-server-consul-0-key.pem'),
        verify_incoming_https: true,
      },
    });
  });

  after(async () => {
    for (const registry of opened) await registry.store.close();
    await consul?.remove();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(settings: Partial<RegistrySettings>): Promise<Registry> {
    const registry = await openRegistry(
      {
        consulAddress: `https://localhost:${port}`,
        consulToken: undefined,
        consulSsl: true,
        consulCaCert: undefined,
        consulClientCert: undefined,
        consulClientKey: undefined,
        dataDir: directory,
        instanceName: 'edge',
        ...settings,
      },
      silentLogger,
    );
    opened.push(registry);
    return registry;
  }

  const ca = () => ({ consulCaCert: file('consul-agent-ca.pem') });
  const client = () => ({
    consulClientCert: file('dc1-client-consul-0.pem'),
    consulClientKey: file('dc1-client-consul-0-key.pem'),
  });
  const signal = new AbortController().signal;

  it('works with the authority and a client certificate', async () => {
    const registry = await open({ ...ca(), ...client() });
    await registry.publish([], { by: 'tests', signal });
    expect((await registry.read(signal)).kind).to.equal('snapshot');
  });

  it('trusts no server of an authority it does not know', async () => {
    expect(await rejection((await open(client())).read(signal))).to.have.property('code', 'registry-unreachable');
  });

  it('is refused without a client certificate', async () => {
    expect(await rejection((await open(ca())).read(signal))).to.have.property('code', 'registry-unreachable');
  });
});
