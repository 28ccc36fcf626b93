import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PluginUse } from '@swarmgate/registry';
import { expect } from 'chai';
import { type LoggedLine, recordingLogger } from '../recording-logger.ts';
import { until } from '../until.ts';
import { startWorkerRig, type WorkerRig } from '../worker-rig.ts';

/** Ways to keep the event loop: after the call of the middleware too, in JavaScript or in a system call. */
const ways: Readonly<Record<string, string>> = {
  loops: '() => loop()',
  'loops-later': 'async (request, response, next) => { await new Promise(setImmediate); loop(); next(); }',
  'loops-in-a-timer': '(request, response, next) => { setTimeout(loop, 1); }',
  'waits-in-javascript': '() => { begin(); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000); }',
  'waits-in-a-call': '() => wait(8)',
  'waits-later': 'async () => { await new Promise(setImmediate); wait(3); loop(); }',
  'in-the-response': `(request, response, next) => {
    const { writeHead } = response;
    response.writeHead = (...given) => { loop(); return writeHead.apply(response, given); };
    next();
  }`,
};

/** @param begun file that it writes when it begins to block */
const source = (handler: string, begun: string) => `
  import { spawnSync } from 'node:child_process';
  import { writeFileSync } from 'node:fs';
  function begin() { writeFileSync(${JSON.stringify(begun)}, ''); }
  function loop() { begin(); for (;;) Math.sqrt(2); }
  function wait(seconds) { begin(); spawnSync('sleep', [String(seconds)]); }
  export default () => ${handler};`;

/** Blocks for shorter than it may. */
const briefly = `export default () => (request, response, next) => {
  for (const startedMs = Date.now(); Date.now() - startedMs < 900; ) Math.sqrt(2);
  next();
};`;

describe('a plug-in that blocks a worker', function () {
  // Real processes: each takes a second to start on a busy machine, and a block lasts two before it is one.
  this.timeout(120_000);
  let rig: WorkerRig;
  let directory = '';
  let outside = '';
  const lines: LoggedLine[] = [];
  const begun = (name: string) => join(outside, name);

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-plugins-'));
    outside = await mkdtemp(join(tmpdir(), 'swarmgate-begun-'));
    for (const [name, handler] of Object.entries({ ...ways, always: '() => loop()' }))
      await writeFile(join(directory, `${name}.mjs`), source(handler, begun(name)));
    await writeFile(join(directory, 'briefly.mjs'), briefly);
    rig = await startWorkerRig({ env: { PLUGINS_DIR: directory }, logger: recordingLogger(lines) });
    await rig.put('manual/plain', {});
    for (const name of [...Object.keys(ways), 'always', 'briefly']) await route(name, [{ name }]);
  });
  after(async () => {
    await rig?.stop();
    for (const each of [directory, outside]) await rm(each, { recursive: true, force: true });
  });

  const route = (name: string, plugins: readonly PluginUse[]) =>
    rig.put(`manual/${name}`, { servicePath: [`/${name}`], plugins });
  const pids = () => rig.serving().map(({ pid }) => pid);
  const crashes = () => rig.metric('swarmgate_worker_ends_total');
  const problemsOf = (name: string) =>
    rig.server
      .problems()
      .get(`manual/${name}`)
      ?.map(({ reason, message }) => `${reason}: ${message}`) ?? [];

  for (const name of Object.keys(ways))
    it(`is named, and the worker replaced while the other one serves: ${name}`, async () => {
      const old = pids();
      const ended = await crashes();
      const failures = await rig.metric('swarmgate_plugin_failures_total');
      const isSettled = () => pids().length === 2 && pids().some((pid) => !old.includes(pid));
      const requested = rig.get(`/${name}`);
      await until(() => existsSync(begun(name)), 'the block');
      const statuses = new Map<number | string, number>();
      await until(
        async () => {
          const { status } = await rig.get('/');
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          return isSettled();
        },
        'another worker',
        60_000,
      );
      expect((await requested).status).to.equal('ECONNRESET');
      expect([...statuses.keys()]).to.deep.equal([200]);
      expect(statuses.get(200)).to.be.greaterThan(20);
      expect(old.filter((pid) => !pids().includes(pid))).to.have.length(1);
      expect((await crashes()) - ended).to.equal(1);
      expect((await rig.metric('swarmgate_plugin_failures_total')) - failures).to.equal(1);
      expect(problemsOf(name)[0]).to.match(
        new RegExp(`^plugin-blocked: the plug-in ${name} blocked a process .* \\d{4} ms`),
      );
      const line = lines.find((each) => each.plugin === name && each.msg === 'a plug-in blocks a worker');
      if (name === 'waits-in-a-call') expect(line).not.to.have.property('stack');
      else expect(line?.stack).to.include(join(directory, `${name}.mjs:`));
    });

  it('is left alone where it does so for less than two seconds', async () => {
    const old = pids();
    // Together they take longer than two seconds, on one worker.
    const statuses = await rig.only(old[0] ?? 0, async () => {
      const responses: (number | string)[] = [];
      for (let at = 0; at < 6; at += 1) responses.push((await rig.get('/briefly')).status);
      return responses;
    });
    expect(statuses).to.deep.equal([200, 200, 200, 200, 200, 200]);
    expect(pids()).to.deep.equal(old);
    expect(problemsOf('briefly')).to.deep.equal([]);
  });

  it('is suspended after three workers: its requests get 503, and no more workers end', async () => {
    const ended = await crashes();
    let response = await rig.get('/always');
    for (let lost = 1; lost <= 3; lost += 1) {
      expect(response.status).to.equal('ECONNRESET');
      response = await rig.get('/always');
    }
    expect(response.status).to.equal(503);
    expect(response.headers['x-swarmgate-reason']).to.equal('plugin-suspended');
    expect(response.headers['retry-after']).to.equal('60');
    await until(() => pids().length === 2, 'both workers', 60_000);
    // Those that came later too.
    for (const pid of pids()) expect((await rig.only(pid, () => rig.get('/always'))).status).to.equal(503);
    expect((await crashes()) - ended).to.equal(3);
    expect((await rig.get('/')).status).to.equal(200);
    expect((await rig.get('/briefly')).status).to.equal(200);
    const shown = rig.server.plugins?.()?.files.filter(({ suspended }) => suspended === true);
    expect(shown?.map(({ name }) => name)).to.deep.equal(['always']);
  });
});

describe('a plug-in whose making never ends', function () {
  this.timeout(120_000);
  let rig: WorkerRig;
  let directory = '';

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-plugins-'));
    await writeFile(join(directory, 'endless.mjs'), 'export default () => { for (;;) Math.sqrt(2); };');
    await writeFile(join(directory, 'passes.mjs'), 'export default () => (request, response, next) => next();');
    rig = await startWorkerRig({ env: { PLUGINS_DIR: directory }, logger: recordingLogger([]) });
  });
  after(async () => {
    await rig?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('is named, closes the routes that name it, and keeps no worker from starting', async () => {
    const old = rig.serving().map(({ pid }) => pid);
    await rig.put('manual/plain', {});
    await rig.put('manual/other', { servicePath: ['/other'], plugins: [{ name: 'passes' }] });
    // Workers that serve are replaced as for any block; those that start then have it in their table from the beginning.
    await rig.put('manual/closed', { servicePath: ['/closed'], plugins: [{ name: 'endless' }] }).catch(() => undefined);
    await until(
      () => {
        const pids = rig.serving().map(({ pid }) => pid);
        return pids.length === 2 && pids.every((pid) => !old.includes(pid));
      },
      'two other workers',
      90_000,
    );
    for (const { pid } of rig.serving())
      expect(
        await rig.only(pid, async () => [
          (await rig.get('/closed')).status,
          (await rig.get('/other')).status,
          (await rig.get('/')).status,
        ]),
      ).to.deep.equal([503, 200, 200]);
    const problems = rig.server.problems().get('manual/closed') ?? [];
    const unusable = problems.find(({ reason }) => reason === 'plugin-unusable');
    expect(unusable?.message).to.match(/^the plug-in endless cannot be made of its options: .* within 5000 ms/);
  });
});
