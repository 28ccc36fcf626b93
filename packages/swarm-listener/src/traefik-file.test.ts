import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, UsageError } from '@swarmgate/runtime';
import { expect } from 'chai';
import { followTraefikFile, type TraefikFile } from './traefik-file.ts';

const middleware = (prefix: string) => `http:\n  middlewares:\n    a:\n      addPrefix: { prefix: ${prefix} }\n`;

describe('TRAEFIK_FILE', () => {
  let folder: string;
  let path: string;
  let look: () => void;
  let changes: number;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'traefik-file-'));
    path = join(folder, 'dynamic.yml');
    changes = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function follow(): TraefikFile {
    return followTraefikFile(path, {
      logger: silentLogger,
      onChange: () => {
        changes += 1;
      },
      tasks: {
        every(_task, _everyMs, _signal, step) {
          look = step;
          return Promise.resolve();
        },
      },
    });
  }
  const namesOf = (file: TraefikFile) => [
    ...(file.state().file?.service.read.sections['http.middlewares'].keys() ?? []),
  ];
  /** As an editor, or a mount, replaces it. */
  const replace = (text: string) => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };

  it('is read at the start, where one that cannot be read ends it', () => {
    expect(follow).to.throw(UsageError, 'TRAEFIK_FILE');
    writeFileSync(path, middleware('/a'));
    expect(namesOf(follow())).to.deep.equal(['a']);
  });

  it('counts when it is replaced or written to, once', () => {
    writeFileSync(path, middleware('/a'));
    const file = follow();
    const before = file.state();
    look();
    expect([file.state() === before, changes]).to.deep.equal([true, 0]);
    replace(middleware('/longer').replace('a:', 'b:'));
    look();
    look();
    expect([namesOf(file), changes]).to.deep.equal([['b'], 1]);
    writeFileSync(path, '');
    look();
    expect([namesOf(file), changes]).to.deep.equal([[], 2]);
  });

  for (const [what, spoil] of [
    ['cannot be read', () => rmSync(path)],
    ['is a device', () => [rmSync(path), symlinkSync('/dev/zero', path)]],
    ['is a directory', () => [rmSync(path), mkdirSync(path)]],
    ['has no end of tags', () => replace(`a: ${'!a '.repeat(300_000)}`)],
    ['is no YAML', () => replace('http: [')],
    ['has an unknown key', () => replace('http:\n  middleware: {}\n')],
    ['is too large', () => replace(`${middleware('/b')}#${'x'.repeat(3_000_000)}`)],
  ] as const)
    it(`keeps the version before one that ${what}, with a problem, and takes the next`, () => {
      writeFileSync(path, middleware('/a'));
      const file = follow();
      spoil();
      look();
      look();
      expect(namesOf(file)).to.deep.equal(['a']);
      expect(file.state().problems.map(({ reason }) => reason)).to.deep.equal(['traefik-file-unreadable']);
      expect(changes).to.equal(1);
      rmSync(path, { recursive: true, force: true });
      replace(middleware('/a'));
      look();
      expect(file.state().problems).to.deep.equal([]);
      expect(changes).to.equal(2);
    });

  it('is a folder of files, in the order of their names, and of its folders', () => {
    path = join(folder, 'rules');
    mkdirSync(join(path, 'more'), { recursive: true });
    expect(follow, 'an empty folder').to.throw(UsageError, 'holds no file');
    writeFileSync(join(path, 'b.yml'), middleware('/b').replace('a:', 'b:'));
    writeFileSync(join(path, 'more', 'c.toml'), '[http.middlewares.c.addPrefix]\nprefix = "/c"\n');
    writeFileSync(join(path, 'notes.txt'), 'http: [');
    const file = follow();
    expect(namesOf(file)).to.deep.equal(['b', 'c']);
    writeFileSync(join(path, 'a.yaml'), middleware('/a'));
    look();
    look();
    expect([namesOf(file), changes]).to.deep.equal([['a', 'b', 'c'], 1]);
    writeFileSync(join(path, 'more', 'c.toml'), '[http');
    look();
    expect(namesOf(file)).to.deep.equal(['a', 'b', 'c']);
    expect(file.state().problems[0]?.message).to.match(/^more\/c\.toml:1: /);
    rmSync(join(path, 'more'), { recursive: true });
    look();
    expect([namesOf(file), file.state().problems]).to.deep.equal([['a', 'b'], []]);
  });

  it('has no names while no version could be read', () => {
    writeFileSync(path, 'http: [');
    const file = follow();
    expect(file.state().file).to.equal(undefined);
    expect(file.state().problems).to.have.length(1);
  });
});
