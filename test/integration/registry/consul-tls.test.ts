import { openRegistry, type Registry, type RegistrySettings } from '@swarmgate/registry';
import { silentLogger } from '@swarmgate/runtime';
import { expect } from 'chai';
import { rejection } from '../../../packages/registry/test/store-contract.ts';
import { startTlsConsul, type TlsConsul } from '../../harness/tls-consul.ts';

describe('Consul over mutual TLS', () => {
  let consul: TlsConsul;
  const opened: Registry[] = [];

  before(async () => {
    consul = await startTlsConsul({ mutual: true });
  });

  after(async () => {
    for (const registry of opened) await registry.store.close();
    await consul?.remove();
  });

  async function open(settings: Partial<RegistrySettings>): Promise<Registry> {
    const registry = await openRegistry(
      {
        consulAddress: `https://${consul.address}`,
        consulToken: undefined,
        consulSsl: true,
        consulCaCert: undefined,
        consulClientCert: undefined,
        consulClientKey: undefined,
        dataDir: consul.directory,
        instanceName: 'edge',
        ...settings,
      },
      silentLogger,
    );
    opened.push(registry);
    return registry;
  }

  const ca = () => ({ consulCaCert: consul.caFile });
  const client = () => ({
    consulClientCert: consul.clientCertFile,
    consulClientKey: consul.clientKeyFile,
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
