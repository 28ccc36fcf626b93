import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BenchCase } from './cases.ts';

const run = promisify(execFile);

export interface Load {
  readonly requests: number;
  readonly failed: number;
}

/** Puts one proxy under load by wrk, on another core than its own. */
export async function load(port: number, of: BenchCase, seconds: number, core: number | undefined): Promise<Load> {
  const scheme = of.secure ? 'https' : 'http';
  const wrk = [
    'wrk',
    '-t1',
    `-c${of.connections}`,
    `-d${Math.max(1, Math.round(seconds))}s`,
    ...of.headers.flatMap((header) => ['-H', header]),
    ...(of.script === undefined ? [] : ['-s', of.script]),
    `${scheme}://127.0.0.1:${port}${of.path}`,
  ];
  const command = core === undefined ? wrk : ['taskset', '-c', String(core), ...wrk];
  const { stdout } = await run(command[0] as string, command.slice(1));
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout);
  // wrk counts the end of a connection that was announced as a read error.
  const counted = of.closes ? [errors?.[1], errors?.[4]] : (errors?.slice(1) ?? []);
  const broken = counted.reduce((sum, each) => sum + Number(each ?? 0), 0);
  if (requests === 0) throw new Error(`no request was answered on port ${port}: ${stdout}`);
  return { requests, failed: refused + broken };
}
