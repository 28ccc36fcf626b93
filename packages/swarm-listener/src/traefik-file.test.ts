import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
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

  describe('as a folder', () => {
    const named = (name: string) => middleware(`/${name}`).replace('a:', `${name}:`);
    const write = (name: string, text: string) => writeFileSync(join(path, name), text);
    /** As Kubernetes and Docker mount a volume: the link `..data` is replaced as a whole. */
    const mount = (version: string, name: string) => {
      mkdirSync(join(path, `..${version}`));
      write(`..${version}/b.yml`, named(name));
      symlinkSync(`..${version}`, join(path, '..next'));
      renameSync(join(path, '..next'), join(path, '..data'));
    };
    beforeEach(() => {
      path = join(folder, 'rules');
      mkdirSync(path);
      write('a.yml', named('a'));
      mount('1', 'b');
      symlinkSync('..data/b.yml', join(path, 'b.yml'));
    });

    // [what happens, names afterwards, the problem]
    const cases: readonly (readonly [string, () => void, readonly string[], RegExp?])[] = [
      ['a file is removed', () => rmSync(join(path, 'a.yml')), ['b']],
      ['a mounted volume changes', () => mount('2', 'c'), ['a', 'c']],
      [
        'a file is replaced',
        () => [write('next', named('d')), renameSync(join(path, 'next'), join(path, 'a.yml'))],
        ['b', 'd'],
      ],
      ['a link to nothing is no file of rules', () => symlinkSync('gone', join(path, 'current')), ['a', 'b']],
      ['a link leads to the folder itself', () => symlinkSync('.', join(path, 'more')), ['a', 'b']],
      [
        'a link leads to another folder, which Traefik passes over',
        () => {
          mkdirSync(join(folder, 'old'));
          writeFileSync(join(folder, 'old', 'e.yml'), named('e'));
          symlinkSync('../old', join(path, 'old'));
        },
        ['a', 'b'],
      ],
      ['one of its files cannot be read', () => symlinkSync('gone', join(path, 'f.yml')), ['a', 'b'], /f\.yml/],
      [
        'one of its files is a device',
        () => symlinkSync('/dev/zero', join(path, 'f.yml')),
        ['a', 'b'],
        /: f\.yml: expected a regular file/,
      ],
      ['one of its files is no YAML', () => write('f.yml', 'http:\n  [\n'), ['a', 'b'], /^f\.yml:\d+: /],
      ['one of its files is no TOML', () => write('f.toml', 'a = 1\nb = \n'), ['a', 'b'], /^f\.toml:2: /],
      [
        'its files are too large together',
        () => [write('f.yml', `#${'x'.repeat(600_000)}`), write('g.yml', `#${'x'.repeat(600_000)}`)],
        ['a', 'b'],
        /: g\.yml: .*of the 1048576 of all files together/,
      ],
      [
        'it has a thousand files',
        () => Array.from({ length: 1_000 }, (_each, at) => write(`f${at}.yml`, '')),
        ['a', 'b'],
        /more than 200 files/,
      ],
      [
        'it is nested too deep',
        () => mkdirSync(join(path, '1/2/3/4/5/6'), { recursive: true }),
        ['a', 'b'],
        /more than 5 deep/,
      ],
    ];
    for (const [what, change, names, problem] of cases)
      it(`counts as a whole where ${what}`, () => {
        const file = follow();
        expect(namesOf(file)).to.deep.equal(['a', 'b']);
        change();
        look();
        look();
        expect(namesOf(file)).to.deep.equal(names);
        const messages = file.state().problems.map(({ message }) => message);
        if (problem === undefined) expect(messages).to.deep.equal([]);
        else
          expect(messages)
            .to.have.length(1)
            .and.to.satisfy(([message = '']: string[]) => problem.test(message));
        expect(changes).to.equal(problem === undefined && names.join() === 'a,b' ? 0 : 1);
      });

    it('shows the cause of now, where one takes the place of another', () => {
      const file = follow();
      symlinkSync('gone', join(path, 'f.yml'));
      look();
      rmSync(join(path, 'f.yml'));
      symlinkSync('/dev/zero', join(path, 'g.yml'));
      look();
      expect(file.state().problems.map(({ message }) => /[fg]\.yml/.exec(message)?.[0])).to.deep.equal(['g.yml']);
      expect(changes).to.equal(2);
    });

    it('names its files by their path inside of it', () => {
      write('a.yml', 'http: [');
      for (const written of [path, `${path}/`, relative(process.cwd(), path), `./${relative(process.cwd(), path)}`]) {
        path = written;
        expect(follow().state().problems[0]?.message, written).to.match(/^a\.yml:1: /);
      }
    });
  });

  it('has no names while no version could be read', () => {
    writeFileSync(path, 'http: [');
    const file = follow();
    expect(file.state().file).to.equal(undefined);
    expect(file.state().problems).to.have.length(1);
  });
});
