import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectImports, root } from './imports.ts';
import { packages, rooms, roomsTable } from './rooms.ts';

describe('the architecture', () => {
  const imports = projectImports();
  const roomsByName = new Map(rooms.map((room) => [room.name, room]));
  const packageOf = (name: string) => name.split('/')[0] ?? '';

  it('sees the imports it is about to judge', () => {
    expect(imports.length).to.be.greaterThan(300);
    expect(imports.some(({ from, to }) => from === 'proxy/entrypoint' && to === 'proxy/forwarding')).to.equal(true);
  });

  it('lets packages import each other in one direction', () => {
    const wrong = imports.filter(({ from, to }) => {
      const [importer, imported] = [packageOf(from), packageOf(to)];
      return importer !== imported && !packages[importer]?.includes(imported);
    });
    expect(wrong).to.deep.equal([]);
  });

  it('lets rooms import only those that the table names', () => {
    const wrong = imports.filter(({ from, to, isTypeOnly }) => {
      if (from === to || packageOf(from) !== packageOf(to)) return false;
      // The files at the top put the rooms together.
      if (from === packageOf(from)) return false;
      const room = roomsByName.get(from);
      if (room === undefined) return true;
      // Contracts at the top of a package are known to all of its rooms by their types.
      if (to === packageOf(to)) return !isTypeOnly && !room.imports.includes(to);
      return !room.imports.includes(to) && !(isTypeOnly && room.types?.includes(to));
    });
    expect(wrong.map(({ file, to }) => `${file} → ${to}`)).to.deep.equal([]);
  });

  it('has no room that the table does not know, and none in the table that is gone', () => {
    const present = new Set(imports.map(({ from }) => from).filter((name) => name.includes('/')));
    expect([...present].filter((name) => !roomsByName.has(name))).to.deep.equal([]);
    expect([...roomsByName.keys()].filter((name) => !present.has(name))).to.deep.equal([]);
  });

  it('stands in ARCHITECTURE.md as the tests hold it', () => {
    expect(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')).to.include(roomsTable());
  });
});
