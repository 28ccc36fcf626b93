import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cyclesOf, projectImports, root, showImport } from './imports.ts';
import { modules, modulesTable, packages, proxyLayers, proxyLayersTable } from './modules.ts';

describe('the architecture', () => {
  const imports = projectImports();
  const modulesByName = new Map(modules.map((module) => [module.name, module]));
  const layers = new Map(proxyLayers.map(({ name }, at) => [name, at]));
  const packageOf = (name: string) => name.split('/')[0] ?? '';
  const wrong = (isWrong: (one: (typeof imports)[number]) => boolean) => imports.filter(isWrong).map(showImport);

  it('finds the imports that it judges', () => {
    expect(imports.length).to.be.greaterThan(300);
    expect(imports.some(({ from, to }) => from === 'proxy/server' && to === 'proxy/exchange')).to.equal(true);
  });

  it('lets packages import each other in one direction', () => {
    const backwards = wrong(({ from, to }) => {
      const [importer, imported] = [packageOf(from), packageOf(to)];
      return importer !== imported && !packages[importer]?.includes(imported);
    });
    expect(backwards).to.deep.equal([]);
  });

  it('lets modules import only those that the table names, types counted', () => {
    const unnamed = wrong(({ from, to }) => {
      if (from === to || packageOf(from) !== packageOf(to) || packageOf(from) === 'proxy') return false;
      // The files at the top compose the modules, or are contracts that all modules of the package know.
      if (from === packageOf(from) || to === packageOf(to)) return false;
      return modulesByName.get(from)?.imports?.includes(to) !== true;
    });
    expect(unnamed).to.deep.equal([]);
  });

  it('lets files of the proxy import only downwards, types counted', () => {
    const upwards = wrong(({ from, to, toFile }) => {
      if (packageOf(from) !== 'proxy' || toFile === undefined || from === 'proxy') return false;
      return (layers.get(to) ?? Number.POSITIVE_INFINITY) > (layers.get(from) ?? -1);
    });
    expect(upwards).to.deep.equal([]);
  });

  it('lets no files import each other in a circle, types counted', () => {
    expect(cyclesOf(imports)).to.deep.equal([]);
  });

  it('finds a circle', () => {
    const one = { line: 1, from: 'a', to: 'a' };
    const circle = [
      { ...one, file: 'a.ts', toFile: 'b.ts' },
      { ...one, file: 'b.ts', toFile: 'a.ts' },
      { ...one, file: 'c.ts', toFile: 'a.ts' },
    ];
    expect(cyclesOf(circle)).to.deep.equal([['a.ts', 'b.ts']]);
  });

  it('has no module that the tables do not know, and none in the tables that is gone', () => {
    const present = new Set(imports.map(({ from }) => from).filter((name) => name.includes('/')));
    const known = [...modulesByName.keys(), ...layers.keys()];
    expect([...present].filter((name) => !known.includes(name))).to.deep.equal([]);
    expect(known.filter((name) => !present.has(name))).to.deep.equal([]);
  });

  it('stands in ARCHITECTURE.md as the tests hold it', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    expect(text).to.include(modulesTable());
    expect(text).to.include(proxyLayersTable());
  });
});
