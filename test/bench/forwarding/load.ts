import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BenchCase } from './cases.ts';

const run = promisify(execFile);

export interface Load {
  readonly requests: number;
  readonly failed: number;
}

/** Puts one proxy under load by wrk, or by h2load for HTTP/2, on another core than its own. */
export async function load(port: number, of: BenchCase, seconds: number, core: number | undefined): Promise<Load> {
  if (of.handshakes !== undefined) return shakeHands(port, of.handshakes, seconds, core);
  if (of.streams !== undefined) return loadHttp2(port, of, of.streams, seconds, core);
  const wrk = [
    'wrk',
    '-t1',
    `-c${of.connections}`,
    `-d${Math.max(1, Math.round(seconds))}s`,
    ...of.headers.flatMap((header) => ['-H', header]),
    ...(of.script === undefined ? [] : ['-s', of.script]),
    urlOf(port, of),
  ];
  const stdout = await outputOf(wrk, core);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout);
  // wrk counts the end of a connection that was announced as a read error.
  const counted = of.closes ? [errors?.[1], errors?.[4]] : (errors?.slice(1) ?? []);
  const broken = counted.reduce((sum, each) => sum + Number(each ?? 0), 0);
  if (requests === 0) throw new Error(`no request was served on port ${port}: ${stdout}`);
  return { requests, failed: refused + broken };
}

async function loadHttp2(
  port: number,
  of: BenchCase,
  streams: number,
  seconds: number,
  core: number | undefined,
): Promise<Load> {
  const h2load = [
    'h2load',
    `-D${Math.max(1, Math.round(seconds))}`,
    `-c${of.connections}`,
    `-m${streams}`,
    '-t1',
    ...of.headers.flatMap((header) => ['-H', header.replace(/^Host: /, ':authority: ')]),
    urlOf(port, of),
  ];
  const stdout = await outputOf(h2load, core);
  const [, right = 0, ...wrong] = (/status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(stdout) ?? []).map(
    Number,
  );
  const broken = Number(/(\d+) errored/.exec(stdout)?.[1] ?? 0) + Number(/(\d+) timeout/.exec(stdout)?.[1] ?? 0);
  if (right === 0) throw new Error(`no request was served over HTTP/2 on port ${port}: ${stdout}`);
  return { requests: right, failed: wrong.reduce((sum, each) => sum + each, broken) };
}

async function shakeHands(
  port: number,
  kind: 'full' | 'resumed',
  seconds: number,
  core: number | undefined,
): Promise<Load> {
  const manner = kind === 'full' ? ['-new', '-tls1_3'] : ['-reuse', '-tls1_2'];
  const time = String(Math.max(1, Math.round(seconds)));
  const stdout = await outputOf(['openssl', 's_time', '-connect', `127.0.0.1:${port}`, ...manner, '-time', time], core);
  const requests = Number(/(\d+) connections in \d+ real seconds/.exec(stdout)?.[1] ?? 0);
  // A letter for each connection: `r` where it was resumed.
  const resumed = /^r+$/m.exec(stdout)?.[0].length ?? 0;
  if (requests === 0 || (kind === 'resumed' && resumed < requests / 2))
    throw new Error(`${resumed} of ${requests} handshakes were resumed on port ${port}`);
  return { requests, failed: 0 };
}

function urlOf(port: number, of: BenchCase): string {
  return `${of.secure ? 'https' : 'http'}://127.0.0.1:${port}${of.path}`;
}

async function outputOf(command: readonly string[], core: number | undefined): Promise<string> {
  const pinned = core === undefined ? command : ['taskset', '-c', String(core), ...command];
  const { stdout } = await run(pinned[0] as string, pinned.slice(1));
  return stdout;
}
