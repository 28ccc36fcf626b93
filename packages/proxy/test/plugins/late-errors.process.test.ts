import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../until.ts';
import { Load, startWorkerRig, type WorkerRig } from '../worker-rig.ts';

/** Errors of a turn of the event loop in which no call of the plug-in waits. */
const ways: Readonly<Record<string, string>> = {
  timer: `setTimeout(() => { throw new Error('timer'); }, 1)`,
  promise: `Promise.resolve().then(() => { throw new Error('promise'); })`,
  event: `new EventEmitter().emit('error', new Error('event'))`,
  later: `setImmediate(() => new EventEmitter().emit('error', new Error('later')))`,
  socket: `connect(1, '127.0.0.1')`,
  afterwards: `setTimeout(() => { throw new Error('afterwards'); }, 100)`,
  'no-error': `setTimeout(() => { throw undefined; }, 1)`,
  'next-tick': `process.nextTick(() => { throw new Error('next-tick'); })`,
};
const times = 20;

describe('an error of a plug-in in a timer, an event or a promise, with workers', function () {
  // Real processes: each takes a second to start on a busy machine.
  this.timeout(90_000);
  let rig: WorkerRig;
  let directory = '';

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-plugins-'));
    for (const [name, act] of Object.entries(ways))
      await writeFile(
        join(directory, `${name}.mjs`),
        `import { EventEmitter } from 'node:events';
         import { connect } from 'node:net';
         export default () => (request, response, next) => { ${act}; next(); };`,
      );
    await writeFile(
      join(directory, 'ticks.mjs'),
      `export default () => {
         setInterval(() => { throw new Error('ticks'); }, 5).unref();
         return (request, response, next) => next();
       };`,
    );
    rig = await startWorkerRig({ env: { PLUGINS_DIR: directory } });
    await rig.put('manual/plain', {});
  });
  after(async () => {
    await rig?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const pids = () => rig.serving().map(({ pid }) => pid);
  const failures = () => rig.metric('swarmgate_plugin_failures_total');
  const problemsOf = (name: string) => rig.server.problems().get(`manual/${name}`) ?? [];

  for (const name of [...Object.keys(ways), 'ticks'])
    it(`costs no worker and no request of others, and is reported: ${name}`, async () => {
      const old = pids();
      const [before, ended] = [await failures(), await rig.metric('swarmgate_worker_ends_total')];
      const load = new Load(rig.port, { keepAlive: 3, perRequest: 2 });
      await load.more(20);
      await rig.put(`manual/${name}`, { servicePath: [`/${name}`], plugins: [{ name }] });
      for (let at = 0; at < times; at += 1) {
        const { status } = await rig.get(`/${name}`);
        // The request that it was for is over by then, or gets 500.
        expect(status).to.be.oneOf([200, 500]);
      }
      await until(async () => (await failures()) - before >= times, 'all failures to be counted');
      await load.more(20);
      await load.stop();
      expect([...load.failures]).to.deep.equal([]);
      // Each is counted and logged once; the one that ticks goes on.
      if (name !== 'ticks') expect((await failures()) - before).to.equal(times);
      expect(pids()).to.deep.equal(old);
      expect((await rig.metric('swarmgate_worker_ends_total')) - ended).to.equal(0);
      await until(() => problemsOf(name).length > 0, 'the problem');
      expect(problemsOf(name)[0]?.reason).to.equal('plugin-failed');
      expect(problemsOf(name)[0]?.message).to.match(new RegExp(`^the plug-in ${name} failed in the last minutes`));
      await rig.put(`manual/${name}`, undefined);
    });
});
