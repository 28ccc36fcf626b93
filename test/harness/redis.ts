import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { programPath } from './binary-image.ts';
import { freePorts } from './free-ports.ts';

export interface RunningRedis {
  readonly url: string;
  /** It keeps its connections and does not respond. */
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
  /** Again at the same address, after `kill`. */
  start(): void;
  stop(): Promise<void>;
}

/** A real Redis on a free port of loopback, that keeps nothing. It may take a moment until it responds. */
export async function startRedis(): Promise<RunningRedis> {
  const [port] = await freePorts(1);
  let running: ChildProcess | undefined;
  const end = async () => {
    const ending = running;
    running = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    ending.kill('SIGKILL');
    await once(ending, 'exit');
  };
  const start = () => {
    const options = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'];
    running = spawn(programPath('redis-server'), options, { stdio: 'ignore' });
  };
  start();
  return {
    url: `redis://127.0.0.1:${port}`,
    pause: () => running?.kill('SIGSTOP'),
    resume: () => running?.kill('SIGCONT'),
    kill: end,
    start,
    stop: end,
  };
}
