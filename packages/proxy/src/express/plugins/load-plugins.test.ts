import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadPlugins } from './load-plugins.ts';

describe('files of plug-ins', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmgate-load-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const put = (name: string, text: string) => writeFile(join(directory, name), text);
  const faultsOf = async (waitMs?: number) => {
    const loaded = await loadPlugins(directory, waitMs === undefined ? {} : { waitMs });
    return Object.fromEntries([...loaded].map(([name, { fault }]) => [name, fault ?? 'usable']));
  };
  const usable = 'export default () => () => undefined;';

  it('are those at the top of the folder with an extension of JavaScript or TypeScript, by their names', async () => {
    for (const name of ['a.js', 'b.mjs', 'c.ts', 'd.mts', 'e-1.mjs']) await put(name, usable);
    await put('f.cjs', 'module.exports = () => () => undefined;');
    await put('g.cts', 'module.exports = (): unknown => () => undefined;');
    await put('package.json', '{ "type": "module" }');
    // Neither these.
    for (const name of ['_part.mjs', '.hidden.mjs', 'types.d.ts', 'readme.md', 'with space.mjs'])
      await put(name, usable);
    await mkdir(join(directory, 'folder.mjs'));
    expect(Object.keys(await faultsOf())).to.deep.equal(['a', 'b', 'c', 'd', 'e-1', 'f', 'g']);
    expect(new Set(Object.values(await faultsOf()))).to.deep.equal(new Set(['usable']));
  });

  it('cannot be used where two have the same name: neither is taken', async () => {
    await put('same.mjs', usable);
    await put('same.ts', usable);
    expect(await faultsOf()).to.deep.equal({ same: 'same.mjs and same.ts have the same name' });
  });

  it('are not opened where they are no files: a FIFO would hold up the process', async () => {
    await symlink('/dev/null', join(directory, 'device.mjs'));
    await mkdir(join(directory, 'folder'));
    await symlink('folder', join(directory, 'linked.mjs'));
    await put('_target.mjs', usable);
    await symlink('_target.mjs', join(directory, 'other.mjs'));
    expect(await faultsOf()).to.deep.equal({
      device: 'it cannot be loaded: expected a regular file, and it is a device',
      linked: 'it cannot be loaded: expected a regular file, and it is a directory',
      other: 'usable',
    });
  });

  it('are taken by what compilers make of a default export', async () => {
    await put('compiled.cjs', 'exports.default = () => () => undefined; exports.__esModule = true;');
    await put('object.cjs', 'module.exports = { other: 1 };');
    expect(await faultsOf()).to.deep.equal({ compiled: 'usable', object: 'its default export is not a function' });
  });

  it('have their time to be loaded, and cost no other file', async () => {
    await put('endless.mjs', `${usable} await new Promise(() => undefined);`);
    await put('other.mjs', usable);
    expect(await faultsOf(50)).to.deep.equal({
      endless: 'it cannot be loaded: its top level did not end within 50 ms',
      other: 'usable',
    });
  });

  it('are announced one by one before they are imported', async () => {
    for (const name of ['one.mjs', 'two.mjs']) await put(name, usable);
    const announced: string[] = [];
    await loadPlugins(directory, { onLoading: (plugin) => announced.push(plugin) });
    expect(announced).to.deep.equal(['one', 'two']);
  });

  it('of a folder that cannot be read are an error', async () => {
    const error = await loadPlugins(join(directory, 'nowhere')).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'plugins-unreadable' }).and.to.have.nested.property('cause.code', 'ENOENT');
    expect(error)
      .to.have.property('message')
      .which.matches(/^cannot read PLUGINS_DIR=\S*nowhere \(ENOENT.*\): set PLUGINS_DIR to/);
  });
});
