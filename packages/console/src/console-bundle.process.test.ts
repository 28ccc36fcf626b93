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
});
