import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Durations of requests in milliseconds. */
export interface Latencies {
  readonly requests: number;
  readonly p50: number;
  readonly p99: number;
}

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly headers: readonly string[];
  readonly seconds: number;
  readonly core: number | undefined;
  /** Default `/small`. */
  readonly path?: string;
}

/** As fast as the proxy responds, by wrk. */
export async function saturate({
  port,
  connections,
  headers,
  seconds,
  core,
  path = '/small',
}: LoadOptions): Promise<Latencies> {
  const more = headers.flatMap((header) => ['-H', header]);
  const url = `http://127.0.0.1:${port}${path}`;
  const command = ['wrk', '-t1', '--latency', `-c${connections}`, `-d${seconds}s`, ...more, url];
  const text = await outputOf(command, core);
  const percentile = (percent: number) => inMs(new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s)`, 'm').exec(text));
  return { requests: Number(/(\d+) requests in/.exec(text)?.[1] ?? 0), p50: percentile(50), p99: percentile(99) };
}

/** At a rate, in requests a second over all connections, by h2load over HTTP/1.1. @param file for its log of requests */
export async function pace(
  { port, connections, headers, seconds, core, path = '/small' }: LoadOptions,
  rate: number,
  file: string,
): Promise<Latencies> {
  const [host = ''] = headers.filter((header) => header.startsWith('Host: ')).map((header) => header.slice(6));
  // The URL names the Host; the address to connect to is given apart.
  const command = ['h2load', '--h1', '-t1', '-m1', `-c${connections}`, `-D${seconds}`, `--log-file=${file}`];
  command.push(`--rps=${rate / connections}`, `--connect-to=127.0.0.1:${port}`, `http://${host}:${port}${path}`);
  await outputOf(command, core);
  const tookMs: number[] = [];
  for (const line of (await readFile(file, 'latin1')).split('\n')) {
    const [, status, microseconds] = line.split('\t');
    if (status === '200') tookMs.push(Number(microseconds) / 1_000);
  }
  tookMs.sort((one, other) => one - other);
  const at = (part: number) => tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * part))] ?? Number.NaN;
  return { requests: tookMs.length, p50: at(0.5), p99: at(0.99) };
}

function inMs(found: RegExpExecArray | null): number {
  const [, value = 'NaN', unit = 'ms'] = found ?? [];
  return Number(value) * { us: 0.001, ms: 1, s: 1_000 }[unit as 'us' | 'ms' | 's'];
}

async function outputOf(command: readonly string[], core: number | undefined): Promise<string> {
  const pinned = core === undefined ? command : ['taskset', '-c', String(core), ...command];
  const { stdout } = await run(pinned[0] as string, pinned.slice(1), { maxBuffer: 2 ** 26 });
  return stdout;
}
