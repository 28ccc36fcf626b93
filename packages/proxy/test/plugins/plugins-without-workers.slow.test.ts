import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceKey } from '@swarmgate/registry';
import { readSettings } from '@swarmgate/runtime';
import { expect } from 'chai';
import { Registry as Metrics } from 'prom-client';
import { type InProcessServer, startInProcessServer } from '../../src/control/serving/in-process-server.ts';
import { type LoggedLine, recordingLogger } from '../recording-logger.ts';
import { until } from '../until.ts';
import { get, servedAt } from '../worker-rig.ts';

const blocking = (ms: number) => `export default () => (request, response, next) => {
  for (const startedMs = Date.now(); Date.now() - startedMs < ${ms}; ) Math.sqrt(2);
  next();
};`;
const late = `export default () => (request, response, next) => { setTimeout(() => { throw new Error('late'); }, 1); next(); };`;

describe('plug-ins of a proxy without workers', function () {
  this.timeout(60_000);
  let server: InProcessServer;
  let directory = '';
  let port = 0;
  const lines: LoggedLine[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-plugins-'));
    await writeFile(join(directory, 'blocks.mjs'), blocking(6_000));
    await writeFile(join(directory, 'late.mjs'), late);
    const env = { DATA_DIR: directory, WORKERS: '0', PLUGINS_DIR: directory };
    server = await startInProcessServer({
      settings: readSettings('proxy', { env, secretsDir: directory }),
      logger: recordingLogger(lines),
      metrics: new Metrics(),
      env,
      entrypoints: [{ port: 0, secure: false }],
      host: '127.0.0.1',
    });
    port = server.entrypoints()[0]?.port ?? 0;
    const changes = new Map(
      ['blocks', 'late'].map((name) => {
        const key: ServiceKey = `manual/${name}`;
        // No endpoint: what plug-ins do comes before.
        return [key, servedAt(key, { port: 1, servicePath: [`/${name}`], plugins: [{ name }] })] as const;
      }),
    );
    await server.apply({ revision: 'r1', sequence: 1, registryId: 'x', changes, rejected: new Map() });
  });
  after(async () => {
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const problemsOf = (name: string) =>
    server
      .problems()
      .get(`manual/${name}`)
      ?.filter(({ label }) => label === 'plugins') ?? [];

  it('are named where one blocks the process, once it is free again', async () => {
    await get(port, '/blocks', undefined);
    await until(() => problemsOf('blocks').length > 0, 'the problem');
    expect(problemsOf('blocks')[0]?.reason).to.equal('plugin-blocked');
    const line = lines.find(({ plugin }) => plugin === 'blocks');
    expect(line?.msg).to.match(/^a plug-in blocked this process/);
    expect(line?.stack).to.include(join(directory, 'blocks.mjs:'));
  });

  it('are logged with the stack where one throws in a timer', async () => {
    await get(port, '/late', undefined);
    await until(() => problemsOf('late').length > 0, 'the problem');
    const line = lines.find(({ plugin }) => plugin === 'late');
    expect(line).to.have.nested.property('err.message', 'late');
    expect(line).to.have.nested.property('err.stack').that.includes(join(directory, 'late.mjs:'));
  });

  it('need a restart where a file has changed, and the status says so', async () => {
    expect(server.plugins?.()?.state).to.equal('current');
    await writeFile(join(directory, 'other.mjs'), late);
    await until(() => server.plugins?.()?.state === 'restart-needed', 'the change', 30_000);
    expect(server.plugins?.()?.files.map(({ name }) => name)).to.deep.equal(['blocks', 'late']);
  });
});
