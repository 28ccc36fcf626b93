import { expect } from 'chai';
import { buildConsole } from '../build.mjs';
import { consoleFiles } from './console-files.ts';

// The bundler is a process.
describe('the console’s built files', () => {
  it('are 60 KB at most, as a browser gets them', async () => {
    await buildConsole();
    const files = [...consoleFiles().values()];
    expect(files.map(({ type }) => type.split(';', 1)[0]).sort()).to.deep.equal([
      'image/svg+xml',
      'text/css',
      'text/html',
      'text/javascript',
    ]);
    expect(files.reduce((sum, { gzipped }) => sum + gzipped.length, 0)).to.be.within(10_000, 60_000);
  });

  it('load nothing from elsewhere, and have nothing inline, which their policy would refuse', async () => {
    await buildConsole();
    const files = [...consoleFiles()];
    const textOf = (type: string) =>
      files.flatMap(([, file]) => (file.type.startsWith(type) ? [file.bytes.toString()] : [])).join('');
    const page = textOf('text/html');
    const loaded = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url = '']) => url);
    expect(loaded.toSorted()).to.deep.equal(files.flatMap(([path]) => (path === '/' ? [] : [path])).toSorted());
    expect(page.match(/<style|<script(?![^>]*src=)|\sstyle=|\son\w+=/gi)).to.equal(null);
    expect(textOf('text/css').match(/@import|url\((?!data:)/gi)).to.equal(null);
    expect(files.filter(([path, { isHashed }]) => isHashed === path.startsWith('/assets/'))).to.have.length(4);
  });
});
