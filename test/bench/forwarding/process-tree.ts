import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A program under measurement, with all its children. */
export interface Running {
  readonly pid: number;
  readonly logFile: string;
  stop(): Promise<void>;
}

/** Starts a program with output to a file, on one core where `taskset` is there. */
export function start(
  name: string,
  command: readonly string[],
  options: { readonly core: number | undefined; readonly directory: string; readonly env?: NodeJS.ProcessEnv },
): Running {
  const logFile = join(options.directory, `${name}.log`);
  const log = openSync(logFile, 'w');
  const pinned = options.core === undefined ? command : ['taskset', '-c', String(options.core), ...command];
  const child = spawn(pinned[0] as string, pinned.slice(1), {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.env },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} could not be started: ${pinned.join(' ')}`);
  return { pid, logFile, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(timer);
}

/**
 * CPU time that the threads of a process and of all its descendants have used, user and system, in microseconds: by the
 * scheduler's own count, whose unit is the nanosecond. `/proc/PID/stat` counts in steps of 10 ms, 1 % of a slot.
 */
export function cpuMicroseconds(pid: number): number {
  return treeOf(pid).reduce(
    (sum, each) => sum + threadsOf(each).reduce((all, file) => all + ranNs(file), 0) / 1_000,
    0,
  );
}

/** Resident memory of the whole tree, in bytes. */
export function residentBytes(pid: number): number {
  return treeOf(pid).reduce((sum, each) => {
    const line = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${each}/status`));
    return sum + Number(line?.[1] ?? 0) * 1_024;
  }, 0);
}

/** A process and all its descendants. */
export function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = statOf(Number(entry));
    if (fields !== undefined) parents.set(Number(entry), Number(fields[1]));
  }
  const tree = [root];
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  return tree;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`);
  } catch {
    // It has ended since it was listed.
    return [];
  }
}

function ranNs(file: string): number {
  return Number(read(file).split(' ')[0]);
}

/** The fields of /proc/PID/stat behind the name, which may itself hold spaces. */
function statOf(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It has ended since it was listed.
    return '';
  }
}

/** Until `look` does not throw. @throws what it threw last, with the program's own last words. */
export async function ready(what: string, running: Running, look: () => Promise<void>, withinMs = 60_000) {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      await look();
      return;
    } catch (cause) {
      if (performance.now() > deadline) {
        const words = read(running.logFile).slice(-2_000);
        throw new Error(`${what} is not ready after ${withinMs} ms: ${words}`, { cause });
      }
      await pause(100);
    }
  }
}
