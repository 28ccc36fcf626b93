import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from './cache.ts';

const command = fileURLToPath(new URL('../../packages/cli/bin/swarmgate.mjs', import.meta.url));

export interface ProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Keeps its compiled sources in its own data, as users' processes do, instead of one folder for all tests. Default false. */
  readonly ownCompileCache?: boolean;
  /** A program with its arguments that becomes it, such as `prlimit`: the process keeps its number. */
  readonly through?: readonly string[];
  /** A container whose network and names it shares: it listens, connects and resolves as that one. Needs root. */
  readonly insideNetworkOf?: { readonly pid: number; readonly resolvConf: string };
}

/** `swarmgate` in a process of its own, for tests that kill, pause and stop it. */
export interface SwarmgateProcess {
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  start(): void;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, and waits for its end. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL where it has not ended 20 s later. */
  stop(): Promise<void>;
  /** The last lines it wrote. */
  log(): string;
  /** Removes the snapshot of a stopped one: the next start has only the registry. */
  forgetSnapshot(): void;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/** Runs `swarmgate <args>` with nothing of this process's environment but the PATH; its data stay until `remove`. */
export function startSwarmgate(args: readonly string[], options: ProcessOptions): SwarmgateProcess {
  const dataDir = mkdtempSync(join(tmpdir(), 'swarmgate-process-'));
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    DATA_DIR: dataDir,
    ...(options.ownCompileCache === true ? {} : { NODE_COMPILE_CACHE: cacheDirectory('compile-cache') }),
    ...options.env,
  };
  const commandLine = [
    ...inside(options.insideNetworkOf),
    ...(options.through ?? []),
    process.execPath,
    command,
    ...args,
  ] as [string, ...string[]];
  let child: ChildProcess | undefined;
  let log = '';

  const start = () => {
    if (child !== undefined) throw new Error(`swarmgate ${args.join(' ')} runs already`);
    const [program, ...rest] = commandLine;
    const started = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [started.stdout, started.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        log = (log + chunk.toString('utf8')).slice(-20_000);
      });
    }
    // A test run that ends early leaves nothing behind.
    const end = () => started.kill('SIGKILL');
    process.once('exit', end);
    started.once('exit', () => {
      process.off('exit', end);
      if (child === started) child = undefined;
    });
    child = started;
  };
  const end = async (name: NodeJS.Signals) => {
    const ending = child;
    if (ending === undefined) return;
    const exited = once(ending, 'exit');
    ending.kill('SIGCONT');
    ending.kill(name);
    const timer = setTimeout(() => ending.kill('SIGKILL'), 20_000);
    await exited;
    clearTimeout(timer);
  };
  start();
  return {
    get pid() {
      return child?.pid;
    },
    start,
    signal: (name) => {
      child?.kill(name);
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    log: () => log,
    forgetSnapshot() {
      for (const file of readdirSync(dataDir)) if (file.startsWith('snapshot-')) rmSync(join(dataDir, file));
    },
    remove: async () => {
      await end('SIGTERM');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Each of these programs becomes the next one, so that the process keeps its number. */
function inside(container: ProcessOptions['insideNetworkOf']): readonly string[] {
  if (container === undefined) return [];
  const withItsNames = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';
  const network = `--net=/proc/${container.pid}/ns/net`;
  return ['nsenter', network, 'unshare', '--mount', 'sh', '-c', withItsNames, 'sh', container.resolvConf];
}
