import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readRegularFile, readRegularFileSync } from './regular-file.ts';
import { settingsCatalogue } from './settings/catalogue.ts';
import { openSettings } from './settings/read-settings.ts';
import type { Setting } from './settings/setting.ts';

describe('a file that a setting names', () => {
  let folder: string;
  let path: string;
  const server = createServer();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regular-'));
    path = join(folder, 'given');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  after(() => server.close());

  const makeFifo = () => execFileSync('mkfifo', [path]);
  const kinds: readonly (readonly [what: string, make: () => unknown, expected: RegExp])[] = [
    ['a FIFO that no process writes to', makeFifo, /it is a FIFO/],
    ['a directory', () => mkdirSync(path), /it is a directory/],
    ['a device without end', () => symlinkSync('/dev/zero', path), /it is a device/],
    ['a socket', () => new Promise<void>((done) => server.listen(path, done)), /it is a socket/],
    ['more than the bound', () => writeFileSync(path, 'x'.repeat(101)), /larger than 100 bytes/],
    ['more than its size says', () => symlinkSync('/proc/self/mountinfo', path), /larger than 100 bytes/],
    ['nothing', () => undefined, /ENOENT/],
  ];
  for (const [what, make, expected] of kinds)
    it(`is an error and no wait where it is ${what}`, async () => {
      await make();
      const options = { mostBytes: 100 };
      expect(() => readRegularFileSync(path, options)).to.throw(expected);
      const failure = await readRegularFile(path, options).then(String, (error: unknown) => String(error));
      expect(failure).to.match(expected);
    });

  it('is read whole, through links, and where its size is not known', async () => {
    writeFileSync(join(folder, 'target'), `${'é'.repeat(50_000)}end`);
    symlinkSync('target', path);
    expect(readRegularFileSync(path)).to.equal(`${'é'.repeat(50_000)}end`);
    expect(await readRegularFile(path)).to.equal(`${'é'.repeat(50_000)}end`);
    expect(readRegularFileSync('/proc/self/cmdline')).to.include('mocha');
  });

  const secrets = Object.values(settingsCatalogue).filter((setting: Setting<unknown>) =>
    setting.usedBy.includes('standalone'),
  );
  const ofFiles = secrets.filter((setting: Setting<unknown>) => setting.pathOf === 'pem-file');
  const cases: readonly (readonly [what: string, names: readonly string[]])[] = [
    ['whose content is its value', secrets.map(({ env: [name = ''] }) => `${name}_FILE`)],
    ['with a PEM', ofFiles.map(({ env: [name = ''] }) => name)],
  ];
  for (const [what, names] of cases)
    it(`is named in the error, with what it is, for every setting ${what}`, () => {
      makeFifo();
      expect(names).to.have.length.above(3);
      for (const name of names)
        expect(() => openSettings('standalone', { env: { [name]: path }, secretsDir: folder }), name)
          .to.throw('expected a regular file, and it is a FIFO')
          .with.property('message')
          .that.includes(`${name}=${JSON.stringify(path)}`);
    });

  it('is read as a secret of Docker, and through the links of a mounted one of Kubernetes, also when they are exchanged', () => {
    writeFileSync(join(folder, 'dfp_admin_token'), 'from-docker\n');
    expect(openSettings('standalone', { env: {}, secretsDir: folder }).adminToken).to.equal('from-docker');
    const mounted = join(folder, 'mounted');
    const exchange = (version: string) => {
      mkdirSync(join(mounted, version), { recursive: true });
      writeFileSync(join(mounted, version, 'token'), version);
      symlinkSync(version, join(mounted, '..next'));
      renameSync(join(mounted, '..next'), join(mounted, '..data'));
    };
    for (const version of ['..first', '..second']) {
      exchange(version);
      if (version === '..first') symlinkSync(join('..data', 'token'), join(mounted, 'token'));
      const env = { ADMIN_TOKEN_FILE: join(mounted, 'token') };
      expect(openSettings('standalone', { env, secretsDir: '/nonexistent' }).adminToken).to.equal(version);
    }
  });

  it('is named in the error where it is a secret', () => {
    path = join(folder, 'dfp_admin_token');
    makeFifo();
    expect(() => openSettings('standalone', { env: {}, secretsDir: folder })).to.throw(
      `${path}: cannot be read (expected a regular file, and it is a FIFO)`,
    );
  });
});
