import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { consoleFiles } from './console-files.ts';

describe('the console’s files', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'swarmgate-console-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const read = (at = directory) => consoleFiles(pathToFileURL(`${at}/`));

  it('are found by path, hashed ones below /assets/, and others that lie there are not served', () => {
    for (const name of [
      'index.html',
      'icon.svg',
      'app-ABCD1234.js',
      'app-ABCD1234.css',
      '.app-ABCD1234.js.77',
      'notes.txt',
    ])
      writeFileSync(join(directory, name), name);
    const files = read();
    expect([...files.keys()].sort()).to.deep.equal([
      '/',
      '/assets/app-ABCD1234.css',
      '/assets/app-ABCD1234.js',
      '/icon.svg',
    ]);
    expect(files.get('/')).to.include({ type: 'text/html; charset=utf-8', isHashed: false });
    const script = files.get('/assets/app-ABCD1234.js');
    expect(script).to.include({ type: 'text/javascript; charset=utf-8', isHashed: true });
    expect(gunzipSync(script?.gzipped ?? Buffer.alloc(0)).toString()).to.equal('app-ABCD1234.js');
  });

  it('are none where the console was not built', () => {
    expect(read(join(directory, 'missing')).size).to.equal(0);
  });
});
