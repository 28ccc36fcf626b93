import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { UsageError } from '../errors.ts';
import { readSettings } from './read-settings.ts';

describe('readSettings', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'settings-'));
    mkdirSync(join(folder, 'secrets'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const read = (env: Record<string, string>, role: 'proxy' | 'listener' | 'standalone' | 'cli' = 'proxy') =>
    readSettings(role, { env, secretsDir: join(folder, 'secrets') });

  it('gives the documented defaults of each role', () => {
    expect(read({}).defaultPorts).to.deep.equal([
      { port: 80, secure: false },
      { port: 443, secure: true },
    ]);
    expect(read({}, 'standalone')).to.deep.include({
      defaultPorts: [{ port: 8000, secure: false }],
      listenerPort: 'off',
      workers: 0,
    });
    expect(read({})).to.include({
      adminPort: 8080,
      instanceName: 'swarmgate',
      swarmName: 'swarm',
      dataDir: './.swarmgate',
      barrierTimeoutMs: 5000,
      order: 'strict',
      workers: 'cores',
      timeoutConnectMs: 5000,
      timeoutTunnelMs: 3_600_000,
    });
  });

  it('names every wrong variable, its value and what is allowed, all at once', () => {
    expect(() => read({ ADMIN_PORT: '99999', ORDER: 'random', SWARM_NAME: 'manual', HTTPS_ONLY: 'yes' }))
      .to.throw(UsageError)
      .with.property('message')
      .that.includes('ADMIN_PORT="99999": expected a whole number from 1 to 65535')
      .and.includes('ORDER="random": expected one of strict, legacy')
      .and.includes('SWARM_NAME="manual": expected a name other than manual')
      .and.includes('HTTPS_ONLY="yes": expected one of 1 t T true');
  });

  it('does not show the value of a secret that is wrong', () => {
    const wrong = () => read({ DF_RETRY: 'x', ADMIN_TOKEN_FILE: join(folder, 'absent') });
    expect(wrong).to.throw(UsageError).with.property('message').that.includes('ADMIN_TOKEN_FILE');
  });

  it('reads <NAME>_FILE and the secret dfp_<name>, the environment first', () => {
    writeFileSync(join(folder, 'token'), 'from-file\n');
    writeFileSync(join(folder, 'secrets', 'dfp_admin_token'), 'from-secret\n');
    writeFileSync(join(folder, 'secrets', 'df_notify_create_service_url'), 'http://a,http://b\n');
    expect(read({}).adminToken).to.equal('from-secret');
    expect(read({ ADMIN_TOKEN_FILE: join(folder, 'token') }).adminToken).to.equal('from-file');
    expect(read({ ADMIN_TOKEN: 'direct', ADMIN_TOKEN_FILE: join(folder, 'token') }).adminToken).to.equal('direct');
    expect(read({}, 'listener').notifyCreateServiceUrls).to.deep.equal(['http://a', 'http://b']);
  });

  it('takes an empty variable as not set', () => {
    expect(read({ CONSUL_HTTP_ADDR: '', ADMIN_PORT: '' })).to.include({ consulAddress: undefined, adminPort: 8080 });
  });

  it('turns seconds into milliseconds', () => {
    expect(read({ TIMEOUT_SERVER: '1.5' }).timeoutServerMs).to.equal(1500);
    expect(read({ DF_SERVICE_POLLING_INTERVAL: '20' }, 'listener').servicePollingIntervalMs).to.equal(20_000);
  });
});
