import { readFileSync } from 'node:fs';
import { treeOf } from '../forwarding/process-tree.ts';

/** In bytes. Proportional: pages that several processes share count in equal parts. */
export interface Memory {
  readonly resident: number;
  readonly proportional: number;
  readonly processes: readonly { readonly pid: number; readonly resident: number; readonly anonymous: number }[];
}

/** Of a process and all its descendants. */
export function memoryOfTree(root: number): Memory {
  let [resident, proportional] = [0, 0];
  const processes: Memory['processes'][number][] = [];
  for (const pid of treeOf(root)) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1_024;
    resident += bytes('Rss');
    proportional += bytes('Pss');
    processes.push({ pid, resident: bytes('Rss'), anonymous: bytes('Anonymous') });
  }
  return { resident, proportional, processes };
}
