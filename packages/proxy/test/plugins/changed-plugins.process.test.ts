import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type LoggedLine, recordingLogger } from '../recording-logger.ts';
import { until } from '../until.ts';
import { Load, startWorkerRig, type WorkerRig } from '../worker-rig.ts';

const says = (text: string) => `export default () => (request, response) => response.send(${JSON.stringify(text)});`;

/** Refuses the options that routes of this test give it. */
const refusing = `export default () => { throw new Error('the option size is required'); };`;

describe('files in PLUGINS_DIR that change while workers serve', function () {
  // Real processes: each takes a second to start on a busy machine, and a change is tried in one of them before.
  this.timeout(120_000);
  let rig: WorkerRig;
  let directory = '';
  const lines: LoggedLine[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-plugins-'));
    await put('mine', says('first'));
    await put('broken', 'export default (');
    rig = await startWorkerRig({ env: { PLUGINS_DIR: directory }, logger: recordingLogger(lines), pluginLookMs: 100 });
    await rig.put('manual/plain', {});
    for (const name of ['mine', 'broken', 'fresh'])
      await rig.put(`manual/${name}`, { servicePath: [`/${name}`], plugins: [{ name }] });
  });
  after(async () => {
    await rig?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const put = (name: string, text: string) => writeFile(join(directory, `${name}.mjs`), text);
  const pids = () => rig.serving().map(({ pid }) => pid);
  const responseOf = async (path: string) => {
    const { status, text, headers } = await rig.get(path);
    return status === 200 ? text : `${status} ${headers['x-swarmgate-reason']}`;
  };
  const state = () => rig.server.plugins?.()?.state;
  const problemsOf = (key: `${string}/${string}`) => rig.server.problems().get(key) ?? [];
  const messagesOf = (key: `${string}/${string}`) =>
    problemsOf(key).map(({ reason, message }) => `${reason}: ${message}`);
  const asReplaced = async (old: readonly number[]) => {
    const isOther = () => state() === 'current' && pids().length === 2 && !pids().some((pid) => old.includes(pid));
    await until(isOther, 'other workers, one by one', 60_000);
  };
  /** Changes files under load. @returns what failed */
  const under = async (change: () => Promise<unknown>) => {
    const old = pids();
    const load = new Load(rig.port, { keepAlive: 4, perRequest: 2 });
    await load.more(50);
    await change();
    await asReplaced(old);
    await load.more(50);
    await load.stop();
    return [...load.failures];
  };

  it('are what the status shows at first', () => {
    const shown = rig.server.plugins?.();
    expect(shown?.state).to.equal('current');
    expect(shown?.files.map(({ name }) => name)).to.deep.equal(['broken', 'mine']);
    expect(shown?.files[0]?.fault).to.match(/^it cannot be loaded: /);
  });

  it('replace workers one by one without a failed request: a changed one', async () => {
    expect(await responseOf('/mine')).to.equal('first');
    expect(await under(() => put('mine', says('second')))).to.deep.equal([]);
    expect(await responseOf('/mine')).to.equal('second');
  });

  it('replace workers: a new one', async () => {
    expect(await responseOf('/fresh')).to.equal('503 unsupported-feature');
    expect(messagesOf('manual/fresh')[0]).to.match(/^plugin-missing: /);
    expect(await under(() => put('fresh', says('fresh')))).to.deep.equal([]);
    expect(await responseOf('/fresh')).to.equal('fresh');
    expect(messagesOf('manual/fresh')).to.deep.equal([]);
  });

  it('replace workers: a file that a plug-in imports', async () => {
    const old = pids();
    await put('fresh', `import { text } from './_text.mjs'; export default () => (q, r) => r.send(text);`);
    await put('_text', `export const text = 'imported';`);
    await asReplaced(old);
    expect(await responseOf('/fresh')).to.equal('imported');
    const [then, changed] = [pids(), put('_text', `export const text = 'changed';`)];
    await changed;
    await asReplaced(then);
    expect(await responseOf('/fresh')).to.equal('changed');
  });

  const refused: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    ['a syntax error', 'export default () => (', /mine: it cannot be loaded: /],
    [
      'an error at its top level',
      `throw new Error('no store'); export default 1;`,
      /mine: it cannot be loaded: no store$/,
    ],
    ['no default export', 'export const other = 1;', /mine: its default export is not a function$/],
    ['an end of the process', 'process.exit(3);', /mine: the process that checks the plug-in mine ended: exit code 3$/],
    ['options that it refuses now', refusing, /mine: .*cannot be made of its options: the option size is required/],
  ];
  for (const [what, text, message] of refused)
    it(`leave workers as they are, and a problem names the file: ${what}`, async () => {
      const old = pids();
      await put('mine', text);
      await until(() => messagesOf('manual/mine').some((each) => message.test(each)), 'the refusal', 60_000);
      expect(state()).to.equal('refused');
      expect(messagesOf('manual/mine')).to.have.length(1);
      expect(messagesOf('manual/mine')[0]).to.match(/^plugin-refused: .*workers keep what they have: /);
      expect(problemsOf('manual/mine')[0]?.label).to.equal('plugins');
      expect(rig.server.plugins?.()?.reason).to.match(message);
      expect(lines.at(-1)).to.have.nested.property('faults[0].plugin', 'mine');
      expect(pids()).to.deep.equal(old);
      expect(await responseOf('/mine')).to.equal('second');
    });

  it('name a new file that no route names, too, and are tried again as one changes', async () => {
    const old = pids();
    await put('mine', says('third'));
    await put('unused', 'export default (');
    await until(() => messagesOf('env/plug-ins').length === 1, 'the refusal', 60_000);
    expect(messagesOf('env/plug-ins')[0]).to.match(/unused: it cannot be loaded: /);
    expect(messagesOf('manual/mine')).to.deep.equal([]);
    expect(pids()).to.deep.equal(old);
    await rm(join(directory, 'unused.mjs'));
    await asReplaced(old);
    expect(await responseOf('/mine')).to.equal('third');
    expect(messagesOf('env/plug-ins')).to.deep.equal([]);
  });

  it('block their routes where one is removed, and no others', async () => {
    expect(await under(() => rm(join(directory, 'fresh.mjs')))).to.deep.equal([]);
    expect(await responseOf('/fresh')).to.equal('503 unsupported-feature');
    expect(messagesOf('manual/fresh')[0]).to.match(/^plugin-missing: /);
    expect(await responseOf('/mine')).to.equal('third');
  });

  it('are used as they are where an operator replaces the workers', async () => {
    await put('mine', 'export default (');
    await until(() => state() === 'refused', 'the refusal', 60_000);
    await rig.server.restartWorkers?.();
    expect(state()).to.equal('current');
    expect(await responseOf('/mine')).to.equal('503 unsupported-feature');
    // Of each worker.
    expect(new Set(problemsOf('manual/mine').map(({ reason }) => reason))).to.deep.equal(new Set(['plugin-unusable']));
  });
});
