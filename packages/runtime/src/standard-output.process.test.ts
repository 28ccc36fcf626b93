import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { FileOutput } from './standard-output.ts';

const logger = new URL('./logger.ts', import.meta.url).href;

describe('the standard output of a process', () => {
  let folder: string;
  const opened: number[] = [];
  const open = (path: string, flags: number) => {
    const fd = openSync(path, flags, 0o600);
    opened.push(fd);
    return fd;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarmgate-output-'));
  });
  afterEach(() => {
    for (const fd of opened.splice(0)) closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  });
  const written = (output: FileOutput, text: string) =>
    new Promise<void>((resolve) => {
      output.write(text, resolve);
    });

  it('that is a file has every line that was logged before the process ends', () => {
    const path = join(folder, 'log');
    const fd = open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND);
    const program = `
      const { createLogger } = await import('${logger}');
      const logger = createLogger();
      for (let at = 0; at < 50; at += 1) logger.info({ at }, 'line');
      process.exit(3);`;
    // With what this process was started with, so that a fault planted here is planted there.
    const { status } = spawnSync(process.execPath, [...process.execArgv, '--input-type=module', '--eval', program], {
      stdio: ['ignore', fd, 'inherit'],
    });
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    expect([status, lines.length]).to.deep.equal([3, 50]);
    expect(new Set(lines.map((line) => JSON.parse(line).at)).size).to.equal(50);
  });

  it('that is a file takes texts in their order, and says when each has left', async () => {
    const path = join(folder, 'file');
    const output = new FileOutput(open(path, constants.O_WRONLY | constants.O_CREAT));
    const order: string[] = [];
    output.write('a', () => order.push('a'));
    output.write('b', () => order.push('b'));
    expect(output.writableLength).to.equal(2);
    await written(output, 'c');
    expect(order).to.deep.equal(['a', 'b']);
    expect([readFileSync(path, 'utf8'), output.writableLength]).to.deep.equal(['abc', 0]);
  });

  it('that takes nothing for a while loses what came then, and has what comes after it', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const fd = open(path, constants.O_RDWR | constants.O_NONBLOCK);
    let filled = 0;
    try {
      for (;;) filled += writeSync(fd, Buffer.alloc(4_096));
    } catch (error) {
      expect(error).to.have.property('code', 'EAGAIN');
    }
    const output = new FileOutput(fd);
    await written(output, 'lost');
    expect(output.writableLength).to.equal(0);
    const bytes = Buffer.alloc(filled);
    expect(readSync(fd, bytes)).to.equal(filled);
    await written(output, 'there');
    expect(bytes.toString('latin1', 0, readSync(fd, bytes))).to.equal('there');
  });
});
