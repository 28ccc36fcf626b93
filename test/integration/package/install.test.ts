import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';
import { freePorts } from '../../harness/free-ports.ts';
import { send, untilResponds } from '../../harness/http.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const blocksForSeconds = `export default () => (request, response) => {
  for (const startedMs = Date.now(); Date.now() - startedMs < 5_000; ) Math.sqrt(2);
  response.send('by a plug-in');
};`;
const loaded = { state: 'current', files: [{ name: 'blocks' }] };
/** The oldest line of Node that the package is meant for. */
const oldestNode = '22';

describe('the package swarmgate, installed from its tarball in an empty folder', function () {
  this.timeout(180_000);
  let directory: string;
  let folder: string;
  let tarball: string;
  let env: NodeJS.ProcessEnv;
  let child: ChildProcess | undefined;
  const signalGroup = (signal: NodeJS.Signals) => child?.pid !== undefined && process.kill(-child.pid, signal);
  const bin = (name: string) => join(folder, 'node_modules', '.bin', name);

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'swarmgate-install-'));
    folder = join(directory, 'empty');
    mkdirSync(folder);
    const packed = await run(process.execPath, [join(root, 'scripts', 'pack.mjs'), directory], { cwd: root });
    tarball = packed.stdout.trim().split('\n').at(-1) ?? '';
    const install = ['install', '--no-audit', '--no-fund', '--prefer-offline'];
    await run('npm', [...install, `node@${oldestNode}`], { cwd: folder });
    await run('npm', [...install, tarball], { cwd: folder });
    // As outside this repository: its own Node and tools are not on the PATH.
    const elsewhere = (process.env.PATH ?? '').split(delimiter).filter((each) => !each.includes('node_modules'));
    env = { PATH: [dirname(bin('node')), ...elsewhere].join(delimiter), HOME: directory };
  });

  after(async () => {
    if (child?.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      signalGroup('SIGKILL');
      await ended;
    }
    rmSync(directory, { recursive: true, force: true });
  });

  it('holds built JavaScript, types, docs and the OpenAPI description, and neither sources nor tests', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout.trim().split('\n');
    expect(files).to.include.members([
      'package/package.json',
      'package/README.md',
      'package/LICENSE',
      'package/CHANGELOG.md',
      'package/dist/main.js',
      'package/dist/index.d.ts',
      'package/docs/openapi.yaml',
      'package/docs/labels.md',
      'package/examples/services.json',
      'package/node_modules/@swarmgate/proxy/dist/index.js',
    ]);
    const superfluous = files.filter((file) => /\.test\.|\/test\/|\.map$|(?<!\.d)\.ts$/.test(file));
    expect(superfluous).to.deep.equal([]);
  });

  it(`runs its command on Node ${oldestNode}`, async () => {
    const node = await run(bin('node'), ['--version'], { env });
    expect(node.stdout).to.match(new RegExp(`^v${oldestNode}\\.`));
    const { version } = JSON.parse(readFileSync(join(root, 'packages', 'cli', 'package.json'), 'utf8')) as {
      readonly version: string;
    };
    const { stdout } = await run('npx', ['--no-install', 'swarmgate', '--version'], { cwd: folder, env });
    expect(stdout.trim()).to.equal(version);
  });

  it('serves with `npx swarmgate standalone`: samples, REST and its OpenAPI description', async () => {
    const [http, admin] = (await freePorts(2)) as [number, number];
    const ports = { DEFAULT_PORTS: String(http), ADMIN_PORT: String(admin), LISTENER_PORT: 'off' };
    const docker = { DF_DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
    const plugins = join(folder, 'plugins');
    mkdirSync(plugins);
    writeFileSync(join(plugins, 'blocks.mjs'), blocksForSeconds);
    child = spawn('npx', ['--no-install', 'swarmgate', 'standalone'], {
      cwd: folder,
      env: { ...env, ...ports, ...docker, PLUGINS_DIR: plugins },
      stdio: 'ignore',
      // npx ends at a signal without passing it on, so the whole group gets it.
      detached: true,
    });
    await untilResponds({ url: `http://127.0.0.1:${http}/hello` }, 200);
    const described = await send({ url: `http://127.0.0.1:${admin}/v1/openapi.yaml` });
    expect(described).to.have.property('status', 200);
    expect(described.body).to.include('openapi: 3');
    // Plug-ins, and the thread that finds those that block.
    const service = `serviceName=shop&servicePath=/shop&port=${http}&outboundHostname=127.0.0.2&plugins=blocks`;
    await untilResponds({ url: `http://127.0.0.1:${admin}/v1/docker-flow-proxy/reconfigure?${service}` }, 200);
    const responded = await send({ url: `http://127.0.0.1:${http}/shop` });
    expect([responded.status, responded.body]).to.deep.equal([200, 'by a plug-in']);
    const status = await send({ url: `http://127.0.0.1:${admin}/v1/status` });
    expect(JSON.parse(status.body)).to.have.property('plugins').that.deep.equals(loaded);
    await until('the problem', async () => {
      const { body } = await send({ url: `http://127.0.0.1:${admin}/v1/problems` });
      return body.includes('the plug-in blocks blocked a process');
    });
    const ended = once(child, 'exit');
    signalGroup('SIGTERM');
    await ended;
  });

  it('has types that a TypeScript project can use', async () => {
    writeFileSync(
      join(folder, 'consumer.mts'),
      `import { main, type Plugin } from 'swarmgate';
const plugin: Plugin = (options, { name, log }) => {
  log.info({ options }, name);
  return (..._given: unknown[]) => undefined;
};
// @ts-expect-error a plug-in is a function
const wrong: Plugin = 5;
void [plugin, wrong];
const done: Promise<void> = main(['--help']);
// @ts-expect-error the arguments are texts
void main(5);
void done;
`,
    );
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--skipLibCheck', '--types', 'node'];
    const types = ['--typeRoots', join(root, 'node_modules', '@types')];
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(process.execPath, [tsc, ...options, ...types, 'consumer.mts'], { cwd: folder }).catch(
      (error: unknown) => {
        throw new Error(String((error as { stdout?: string }).stdout), { cause: error });
      },
    );
  });
});
