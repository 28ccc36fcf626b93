import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A control group with a memory limit, as the engine makes one for a container. */
export interface MemoryGroup {
  /** Starts a program inside: for `ProcessOptions.through`. */
  readonly through: readonly string[];
  usedBytes(): number;
  /** Takes memory that belongs to no process, so that the kernel cannot free it by ending one. */
  take(bytes: number): Promise<void>;
  /** Gives back all that was taken. */
  giveBack(): void;
  /** After its processes have ended. */
  remove(): void;
}

/** @throws where control groups cannot be made: what is missing, for each version of them */
export function makeMemoryGroup(limitBytes: number): MemoryGroup {
  const missing: string[] = [];
  const name = `swarmgate-test-${randomBytes(3).toString('hex')}`;
  for (const [root, limit, usage] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes', 'memory.usage_in_bytes'],
    ['/sys/fs/cgroup', 'memory.max', 'memory.current'],
  ] as const) {
    const group = join(root, name);
    try {
      mkdirSync(group);
      writeFileSync(join(group, limit), String(limitBytes));
    } catch (error) {
      if (existsSync(group)) rmdirSync(group);
      missing.push(`${root}: ${(error as Error).message}`);
      continue;
    }
    // Without swap, which would let the group have more.
    for (const [file, text] of [
      ['memory.swappiness', '0'],
      ['memory.swap.max', '0'],
    ] as const)
      if (existsSync(join(group, file))) writeFileSync(join(group, file), text);
    return groupAt(group, usage);
  }
  throw new Error(
    `no control group with a memory limit can be made (root and a writable cgroup file system): ${missing.join('; ')}`,
  );
}

function groupAt(group: string, usage: string): MemoryGroup {
  const through = ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(group, 'cgroup.procs')];
  // A file system in memory: its pages count for the group of the process that wrote them.
  const taken = mkdtempSync('/dev/shm/swarmgate-memory-');
  let files = 0;
  return {
    through,
    usedBytes: () => Number(readFileSync(join(group, usage), 'utf8')),
    async take(bytes) {
      files += 1;
      const write = `head -c ${Math.round(bytes)} /dev/zero > ${join(taken, String(files))}`;
      const [program = '', ...rest] = [...through, 'sh', '-c', write];
      await once(spawn(program, rest, { stdio: 'ignore' }), 'exit');
    },
    giveBack() {
      for (; files > 0; files -= 1) rmSync(join(taken, String(files)), { force: true });
    },
    remove() {
      rmSync(taken, { recursive: true, force: true });
      rmdirSync(group);
    },
  };
}
