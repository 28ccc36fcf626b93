import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

const run = promisify(execFile);

/** Modules of Node, and CommonJS files of packages, that a process has loaded with this file: those that `require` and `getBuiltinModule` load too. */
async function loadedWith(file: string): Promise<readonly string[]> {
  const source = `
    await import(${JSON.stringify(new URL(`../src/${file}`, import.meta.url).href)});
    const { _cache } = process.getBuiltinModule('node:module');
    console.log([...process.moduleLoadList, ...Object.keys(_cache)].join('\\n'));
    process.exit();`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    maxBuffer: 16 * 2 ** 20,
  });
  return stdout.split('\n');
}

describe('what a worker has loaded when it starts', () => {
  let loaded: readonly string[] = [];
  before(async () => {
    loaded = await loadedWith('control/workers/worker.ts');
  });
  const has = (part: string) => loaded.some((each) => each.endsWith(part));

  it('is seen by this test', () => {
    expect(has('NativeModule net')).to.equal(true);
    expect(has('node_modules/prom-client/lib/counter.js')).to.equal(true);
  });

  it('leaves out Node’s own HTTP: it serves plug-ins, and collectors over TLS', () => {
    for (const name of ['NativeModule http', 'NativeModule https', 'NativeModule http2'])
      expect(has(name), name).to.equal(false);
  });

  it('leaves out what metrics are pushed with, and the default metrics', () => {
    expect(has('node_modules/prom-client/index.js')).to.equal(false);
    expect(loaded.filter((each) => each.includes('@opentelemetry'))).to.deep.equal([]);
  });
});
