import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from '@swarmgate/runtime/testing';
import { expect } from 'chai';

const module = new URL('until-stopped.ts', import.meta.url).href;
const runtime = import.meta.resolve('@swarmgate/runtime');

/** Runs a command that throws `how`, with a part that takes 200 ms to stop. */
const program = (how: string, stop: string) => `
import { untilStopped } from ${JSON.stringify(module)};
import { createLogger } from ${JSON.stringify(runtime)};
const keeping = setInterval(() => undefined, 1_000);
const stop = async () => {
  process.stdout.write('draining\\n');
  ${stop}
  clearInterval(keeping);
  process.stdout.write('drained\\n');
};
const start = async (_signal, running) => {
  running.push({ stop });
  process.stdout.write('started\\n');
  ${how}
};
untilStopped(createLogger({ level: 'error' }), start, { stopWithinMs: 1_000 }).catch((error) => {
  process.stdout.write(error.message + '\\n');
  process.exitCode = 1;
});`;

const drains = 'await new Promise((resolve) => setTimeout(resolve, 200));';

describe('a long-lived command', function () {
  this.timeout(30_000);
  let child: ChildProcess;
  let output: string;

  const run = (how: string, stop = drains) => {
    output = '';
    child = spawn(process.execPath, ['--input-type=module', '-e', program(how, stop)], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes) => {
        output += String(bytes);
      });
    return once(child, 'exit').then(([code]) => code as number);
  };

  afterEach(() => child.kill('SIGKILL'));

  for (const [what, how] of Object.entries({
    'an error that passes every guard': "setTimeout(() => { throw new Error('broken'); }, 10);",
    'a rejection that nothing handles': "setTimeout(() => Promise.reject(new Error('broken')), 10);",
  }))
    it(`drains at ${what}, ends with exit code 1, and logs the reason with its stack`, async () => {
      expect(await run(how)).to.equal(1);
      expect(output).to.match(/started\n[\s\S]*draining\n[\s\S]*drained\n/);
      expect(output).to.include('an error passed every guard').and.include('at Timeout');
      expect(output).to.include('ended after an error that passed every guard: broken');
    });

  it('drains once however many such errors there are', async () => {
    expect(await run("setInterval(() => { throw new Error('broken'); }, 5).unref();")).to.equal(1);
    expect(output.split('draining\n')).to.have.length(2);
    expect(output).to.include('drained\n');
  });

  it('ends after its time where the fault keeps it from draining', async () => {
    const code = run("setTimeout(() => { throw new Error('broken'); }, 10);", 'await new Promise(() => undefined);');
    expect(await code).to.equal(1);
    expect(output).to.include('draining\n').and.not.include('drained\n');
  });

  it('ends with exit code 0 at SIGTERM', async () => {
    const code = run('');
    await until('the start', () => output.includes('started'));
    child.kill('SIGTERM');
    expect(await code).to.equal(0);
    expect(output).to.include('drained\n');
  });
});
