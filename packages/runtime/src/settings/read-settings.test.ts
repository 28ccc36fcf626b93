import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { UsageError } from '../errors.ts';
import { longestTimerMs } from '../lifecycle.ts';
import { openSettings, readSettings } from './read-settings.ts';

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
    const wrong = () => read({ DEFAULT_PORTS: 'x', ADMIN_TOKEN_FILE: join(folder, 'absent') });
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

  it('checks addresses and keys with all the rest, and shows no key', () => {
    expect(() =>
      read({
        CONSUL_HTTP_ADDR: 'ftp://consul',
        SECRETS_KEY: 'c2hvcnQ=',
        REDIS_URL: 'mysql://redis',
        ADMIN_PORT: '0',
      }),
    )
      .to.throw(UsageError)
      .with.property('message')
      .that.includes('CONSUL_HTTP_ADDR="ftp://consul": expected host:port')
      .and.includes('SECRETS_KEY=(secret): expected 32 bytes in base64')
      .and.includes('REDIS_URL=(secret): expected a URL such as redis://')
      .and.includes('ADMIN_PORT="0"');
  });

  it('leaves wrong values of other roles alone', () => {
    expect(read({ DOCKER_HOST: 'ssh://elsewhere', DF_RETRY: 'x' }, 'cli')).to.include({
      dockerHost: undefined,
      retries: 50,
    });
    expect(() => read({ DOCKER_HOST: 'ssh://elsewhere' }, 'standalone')).to.throw('DOCKER_HOST="ssh://elsewhere"');
  });

  const routers: readonly (readonly [env: Record<string, string>, router: 'core' | 'express'])[] = [
    [{}, 'core'],
    [{ LANE: 'express' }, 'express'],
    [{ LANE: 'raw' }, 'core'],
    [{ LANE: 'core' }, 'core'],
    [{ LANE: '' }, 'core'],
    [{ HTTP_ROUTER: 'core', LANE: 'express' }, 'core'],
    [{ HTTP_ROUTER: 'express', LANE: 'raw' }, 'express'],
    [{ HTTP_ROUTER: '', LANE: 'express' }, 'express'],
    // A name that is not looked at any more cannot be wrong.
    [{ HTTP_ROUTER: 'express', LANE: 'neither' }, 'express'],
  ];
  for (const [env, router] of routers)
    it(`takes the ${router} router from ${JSON.stringify(env)}: HTTP_ROUTER, then LANE, its name of before`, () => {
      for (const role of ['proxy', 'standalone'] as const) expect(read(env, role).httpRouter).to.equal(router);
    });

  it('reads LANE from a file and from a secret, and names it where its value is wrong', () => {
    expect(() => read({ LANE: 'neither' })).to.throw(UsageError, 'LANE="neither": expected core or express');
    writeFileSync(join(folder, 'lane'), 'express\n');
    expect(read({ LANE_FILE: join(folder, 'lane') }).httpRouter).to.equal('express');
    writeFileSync(join(folder, 'secrets', 'dfp_lane'), 'express\n');
    expect(read({}).httpRouter).to.equal('express');
  });

  it('turns seconds into milliseconds', () => {
    expect(read({ TIMEOUT_SERVER: '1.5' }).timeoutServerMs).to.equal(1500);
    expect(read({ TIMEOUT_SERVER: '0', TIMEOUT_TUNNEL: '0' })).to.include({
      timeoutServerMs: longestTimerMs,
      timeoutTunnelMs: longestTimerMs,
    });
    for (const name of ['CONNECT', 'CLIENT', 'QUEUE', 'HTTP_REQUEST', 'HTTP_KEEP_ALIVE'])
      expect(() => read({ [`TIMEOUT_${name}`]: '0' }), name).to.throw('0.001 to 2000000');
    expect(read({ DF_SERVICE_POLLING_INTERVAL: '20' }, 'listener').servicePollingIntervalMs).to.equal(20_000);
  });
});

describe('openSettings', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'settings-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (env: Record<string, string>, role: 'proxy' | 'listener' = 'proxy') =>
    openSettings(role, { env, secretsDir: join(folder, 'secrets') });

  it('names ports that two settings use', () => {
    expect(() => open({ DATA_DIR: folder, DEFAULT_PORTS: '80,8080', BIND_PORTS: '80' }))
      .to.throw(UsageError)
      .with.property('message')
      .that.includes('DEFAULT_PORTS and BIND_PORTS: expected another port than 80')
      .and.includes('DEFAULT_PORTS and ADMIN_PORT: expected another port than 8080');
    expect(open({ DATA_DIR: folder, DEFAULT_PORTS: '80,443:ssl', BIND_PORTS: '81' }).adminPort).to.equal(8080);
  });

  it('opens Consul’s UI only behind a token and only before a Consul', () => {
    const ui = { DATA_DIR: folder, CONSUL_UI_PORT: '8500' };
    expect(() => open(ui)).to.throw(
      UsageError,
      /expected ADMIN_TOKEN to be set.*\n.*expected CONSUL_HTTP_ADDR to be set/,
    );
    const consul = { ...ui, CONSUL_HTTP_ADDR: 'consul:8500' };
    expect(() => open({ ...consul, ADMIN_TOKEN: 'none' })).to.throw(UsageError, 'another value than none');
    expect(() => open({ ...consul, ADMIN_TOKEN: 't', CONSUL_UI_PORT: '8080' })).to.throw(
      UsageError,
      'ADMIN_PORT and CONSUL_UI_PORT: expected another port than 8080',
    );
    expect(open({ ...consul, ADMIN_TOKEN: 't' })).to.include({ consulUiPort: 8500, consulUiInsecure: false });
    expect(open({ DATA_DIR: folder }).consulUiPort).to.equal('off');
    expect(open(ui, 'listener').consulUiPort).to.equal(8500);
  });

  it('makes DATA_DIR with all folders above it', () => {
    const dataDir = join(folder, 'a', 'b');
    expect(open({ DATA_DIR: dataDir }).dataDir).to.equal(dataDir);
    expect(existsSync(dataDir)).to.equal(true);
  });

  it('refuses a DATA_DIR that cannot be made, at once', () => {
    // Node's own recursive mkdir never ends there.
    expect(() => open({ DATA_DIR: '/proc/nope/deeper' })).to.throw(
      UsageError,
      /DATA_DIR="\/proc\/nope\/deeper": expected a folder .*mkdir.*name another one/,
    );
  });

  it('refuses a DATA_DIR with a file in its way', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => open({ DATA_DIR: file })).to.throw(`${file} exists and is not a folder`);
    expect(() => open({ DATA_DIR: join(file, 'below') })).to.throw(`${file} exists and is not a folder`);
  });

  it('takes ADMIN_READ=token only with a token', () => {
    for (const env of [{}, { ADMIN_TOKEN: 'none' }])
      expect(() => open({ DATA_DIR: folder, ADMIN_READ: 'token', ...env })).to.throw('expected a token in ADMIN_TOKEN');
    expect(open({ DATA_DIR: folder, ADMIN_READ: 'token', ADMIN_TOKEN: 'right' }).adminRead).to.equal('token');
    expect(open({ DATA_DIR: folder, ADMIN_READ: 'open' }).adminRead).to.equal('open');
    expect(() => open({ DATA_DIR: folder, ADMIN_READ: 'yes' })).to.throw('expected one of open, token');
  });

  it('needs a DATA_DIR that can be written to for the embedded registry only', () => {
    // A folder that exists and takes no file, for root too.
    const readOnly = '/proc/self/fd';
    expect(() => open({ DATA_DIR: readOnly })).to.throw(UsageError, 'DATA_DIR="/proc/self/fd": expected a folder');
    expect(open({ DATA_DIR: readOnly, CONSUL_HTTP_ADDR: 'consul:8500' }).dataDir).to.equal(readOnly);
  });

  it('does not touch DATA_DIR for a listener, which keeps nothing', () => {
    expect(open({ DATA_DIR: join(folder, 'none') }, 'listener').dataDir).to.equal(join(folder, 'none'));
    expect(existsSync(join(folder, 'none'))).to.equal(false);
  });

  it('names every file that cannot be read or holds no PEM, with all other wrong settings', () => {
    const noPem = join(folder, 'ca.pem');
    writeFileSync(noPem, 'hush');
    expect(() => open({ CA_FILE: noPem, CONSUL_CACERT: join(folder, 'absent'), ORDER: 'random', DATA_DIR: folder }))
      .to.throw(UsageError)
      .with.property('message')
      .that.includes(`CA_FILE="${noPem}": expected a PEM file; this one has no -----BEGIN line`)
      .and.includes('CONSUL_CACERT=')
      .and.includes('ENOENT')
      .and.includes('ORDER="random"')
      .and.not.includes('hush');
  });
});
