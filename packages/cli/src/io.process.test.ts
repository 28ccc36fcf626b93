import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const command = fileURLToPath(new URL('../bin/swarmgate.mjs', import.meta.url));

describe('the command’s output', () => {
  it('may be read in part, as head does, without a failure', async () => {
    const child = spawn(process.execPath, [command, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let error = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      error += part;
    });
    const [code] = await once(child, 'close');
    expect({ code, error }).to.deep.equal({ code: 0, error: '' });
  });
});
