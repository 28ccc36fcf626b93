import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const writer = fileURLToPath(new URL('../../test/access-log-writer.ts', import.meta.url));

describe('the access log of several workers', () => {
  it('is whole lines, also where they share a pipe whose reader is slow', async () => {
    const command = `"$0" "${writer}" one & "$0" "${writer}" two & wait`;
    const child = spawn('sh', ['-c', command, process.execPath], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    // Takes a little at a time, so that the pipe is full for most of the time.
    for await (const part of child.stdout.setEncoding('latin1')) {
      text += part;
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    if (child.exitCode === null) await once(child, 'exit');
    const lines = text.trimEnd().split('\n');
    const broken = lines.filter((line) => {
      try {
        return !(JSON.parse(line) as { path: string }).path.startsWith('/');
      } catch {
        return true;
      }
    });
    expect(broken.length, broken[0]?.slice(0, 200)).to.equal(0);
    for (const name of ['one', 'two'])
      expect(lines.filter((line) => line.includes(`/${name}/`))).to.have.length.above(1_000);
  });
});
