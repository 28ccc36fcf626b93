import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '@swarmgate/runtime';
import { expect } from 'chai';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '../../..');
const clientScript = join(root, 'scripts/setup/get-docker-client.sh');
const trial = {
  TRAEFIK_NETWORK: 'traefik-public',
  TRAEFIK_SERVICE: 'traefik_traefik',
  HTTP_PORT: '8000',
  HTTPS_PORT: '8443',
  ADMIN_PORT: '8081',
};

interface Stack {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly environment?: Readonly<Record<string, string>>;
        readonly networks?: Readonly<Record<string, unknown>>;
        readonly ports?: readonly { readonly target: number; readonly published: number }[];
        readonly configs?: readonly { readonly target: string }[];
      }
    >
  >;
  readonly networks: Readonly<Record<string, { readonly name: string; readonly external?: boolean }>>;
}

// `docker stack config` reads the files alone and needs no engine.
describe('docker/stack.traefik.yml', function () {
  this.timeout(300_000);
  let docker: string;
  let folder: string;
  before(() => {
    const { status, stdout, stderr } = spawnSync(clientScript, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`no Docker client with \`docker stack config\`: ${stderr}`);
    docker = stdout.trim();
    folder = mkdtempSync(join(tmpdir(), 'stack-traefik-'));
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  function config(env: Readonly<Record<string, string>>, more: readonly string[] = []) {
    const files = ['docker/stack.yml', 'docker/stack.traefik.yml', ...more].flatMap((file) => ['-c', join(root, file)]);
    const own = { PATH: process.env.PATH, HOME: folder };
    return spawnSync(docker, ['stack', 'config', ...files], { encoding: 'utf8', env: { ...own, ...env } });
  }

  function stackOf(env: Readonly<Record<string, string>>, more: readonly string[] = []): Stack {
    const { status, stdout, stderr } = config(env, more);
    expect(status, stderr).to.equal(0);
    return parse(stdout) as Stack;
  }

  it('serves labels of Traefik beside it: other ports, its network, and no orders', () => {
    const { services, networks } = stackOf(trial);
    const { listener, proxy } = services;
    expect(listener?.environment).to.include({
      LABELS: 'df,traefik',
      TRAEFIK_SERVICE: 'traefik_traefik',
      TRAEFIK_NETWORK: 'traefik-public',
    });
    expect(networks.traefik).to.deep.include({ name: 'traefik-public', external: true });
    expect(Object.keys(proxy?.networks ?? {})).to.have.members(['swarmgate', 'traefik']);
    expect(Object.keys(listener?.networks ?? {})).to.not.include('traefik');
    const ports = proxy?.ports?.map(({ target, published }) => [target, Number(published)]);
    expect(ports).to.have.deep.members([
      [80, 8000],
      [443, 8443],
      [8080, 8081],
    ]);
    // What the processes make of it.
    const ofProxy = readSettings('proxy', { env: proxy?.environment ?? {}, secretsDir: folder });
    expect(ofProxy.acmeDirectory).to.deep.equal([]);
    expect([...ofProxy.publishedPorts]).to.deep.equal([
      [80, 8000],
      [443, 8443],
    ]);
    const ofListener = readSettings('listener', { env: listener?.environment ?? {}, secretsDir: folder });
    expect(ofListener.traefikExposedByDefault, 'what Traefik’s flags say holds').to.equal(undefined);
    expect(ofListener.traefikFile).to.equal(undefined);
  });

  it('takes the settings of a file, and the ports and the issuer of the switch', () => {
    const settings = join(folder, 'settings.env');
    writeFileSync(
      settings,
      '# ours\nTRAEFIK_WEB_REDIRECT=websecure\nTRAEFIK_WEBSECURE_MIDDLEWARES=auth@swarm\nTRAEFIK_EXPOSED_BY_DEFAULT=true\nTRAEFIK_CONSTRAINTS=Label(`zone`,`public`)\nTRAEFIK_ENTRYPOINTS=web=80,internal=9000\n',
    );
    const { services } = stackOf({
      ...trial,
      TRAEFIK_SETTINGS: settings,
      TRAEFIK_SERVICE: 'off',
      HTTP_PORT: '80',
      HTTPS_PORT: '443',
      ACME_DIRECTORY_AFTER_SWITCH: 'letsencrypt',
    });
    const ofListener = readSettings('listener', { env: services.listener?.environment ?? {}, secretsDir: folder });
    expect(ofListener.traefikOfEntrypoints).to.deep.equal({
      WEB_REDIRECT: 'websecure',
      WEBSECURE_MIDDLEWARES: 'auth@swarm',
    });
    expect(ofListener.traefikConstraints).to.equal('Label(`zone`,`public`)');
    expect(ofListener.traefikExposedByDefault).to.equal(true);
    expect([...(ofListener.traefikEntrypoints ?? [])]).to.deep.include(['internal', ['9000']]);
    expect(services.proxy?.environment?.ACME_DIRECTORY).to.equal('letsencrypt');
  });

  it('mounts the dynamic file with docker/stack.traefik-file.yml', () => {
    const file = join(folder, 'dynamic.yml');
    writeFileSync(file, 'http: {}\n');
    const { services } = stackOf({ ...trial, TRAEFIK_DYNAMIC_FILE: file }, ['docker/stack.traefik-file.yml']);
    const { environment, configs = [] } = services.listener ?? {};
    expect(configs.map(({ target }) => target)).to.include(environment?.TRAEFIK_FILE);
  });

  for (const missing of ['TRAEFIK_NETWORK', 'TRAEFIK_SERVICE', 'HTTP_PORT', 'HTTPS_PORT'] as const)
    it(`is refused without ${missing}`, () => {
      const { [missing]: _, ...others } = trial;
      const { status, stderr } = config(others);
      expect(status).to.not.equal(0);
      expect(stderr).to.include(missing);
    });
});
