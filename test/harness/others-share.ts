// The load of other processes: a promise in milliseconds can only be judged where they leave the processors free.
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Returns a function that returns the share of the processors (0 to 1) used since then by others than this process and its
 * descendants, time stolen from the machine included. Linux only.
 */
export function measureOthersShare(): () => number {
  const before = ticks();
  return () => {
    const now = ticks();
    const all = now.all - before.all;
    const others = now.busy - before.busy - (now.ours - before.ours);
    return all <= 0 ? 0 : Math.max(0, others / all);
  };
}

/** In the kernel's clock ticks. Interrupts are left out: most of them here are the packets of our own tests. */
function ticks(): { readonly all: number; readonly busy: number; readonly ours: number } {
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, hard = 0, soft = 0, stolen = 0] = readFileSync(
    '/proc/stat',
    'utf8',
  )
    .slice('cpu '.length)
    .trim()
    .split(/\s+/, 8)
    .map(Number);
  const busy = user + nice + system + stolen;
  return { all: busy + idle + waiting + hard + soft, busy, ours: ticksOf(process.pid) };
}

interface ProcessTicks {
  readonly parent: number;
  readonly ticks: number;
}

/** This process, what it started, what those started, and of what has ended what was waited for. */
function ticksOf(pid: number): number {
  const processes = new Map<number, ProcessTicks>();
  for (const name of readdirSync('/proc')) {
    const found = /^[0-9]+$/.test(name) ? ticksIn(name) : undefined;
    if (found !== undefined) processes.set(Number(name), found);
  }
  const isOurs = (candidate: number): boolean => {
    if (candidate === pid) return true;
    const parent = processes.get(candidate)?.parent ?? 0;
    return parent > 1 && isOurs(parent);
  };
  let sum = 0;
  for (const [candidate, { ticks }] of processes) if (isOurs(candidate)) sum += ticks;
  return sum;
}

function ticksIn(name: string): ProcessTicks | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${name}/stat`, 'utf8');
  } catch {
    // It has ended since the directory was read.
    return undefined;
  }
  // The name of the program stands in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system, childrenUser, childrenSystem] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]));
  return {
    parent: parent ?? 0,
    ticks: (user ?? 0) + (system ?? 0) + (childrenUser ?? 0) + (childrenSystem ?? 0),
  };
}
