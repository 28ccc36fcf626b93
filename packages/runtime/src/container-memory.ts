import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `usedBytes`: without file pages that the kernel takes back by itself, which is what orchestrators call the working set. */
export interface MemoryUse {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** Where the kernel shows control groups; other paths for tests. */
export interface ControlGroupPaths {
  readonly root: string;
  /** Names the group of this process. */
  readonly ofProcess: string;
}

const usualPaths: ControlGroupPaths = { root: '/sys/fs/cgroup', ofProcess: '/proc/self/cgroup' };

/** Version 1 of control groups has no value for "no limit": it shows the largest number of whole pages. */
const noLimitBytes = 2 ** 60;

interface Version {
  readonly controller: string;
  readonly limit: string;
  readonly usage: string;
  readonly inactive: string;
}

const second: Version = {
  controller: '',
  limit: 'memory.max',
  usage: 'memory.current',
  inactive: 'inactive_file',
};
const first: Version = {
  controller: 'memory',
  limit: 'memory.limit_in_bytes',
  usage: 'memory.usage_in_bytes',
  inactive: 'total_inactive_file',
};

/**
 * Memory of the container: of the control group of this process, or of the one above it that is nearest to its limit.
 * `undefined` without a limit, and where there are no control groups.
 */
export function containerMemory({ root, ofProcess }: ControlGroupPaths = usualPaths): MemoryUse | undefined {
  let nearest: MemoryUse | undefined;
  for (const line of read(ofProcess).split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === '') continue;
    const version = controllers === '' ? second : controllers.split(',').includes('memory') ? first : undefined;
    if (version === undefined) continue;
    for (const group of groupsAbove(path)) {
      const use = useOf(join(root, version.controller, group), version);
      if (use !== undefined && (nearest === undefined || shareOf(use) > shareOf(nearest))) nearest = use;
    }
  }
  return nearest;
}

function shareOf({ usedBytes, limitBytes }: MemoryUse): number {
  return usedBytes / limitBytes;
}

/** The group itself first. In a container without a namespace of its own the path is the host's, and only the root is there. */
function* groupsAbove(path: string): Generator<string> {
  for (let group = path; ; group = dirname(group)) {
    yield group;
    if (group === '/') return;
  }
}

function useOf(group: string, version: Version): MemoryUse | undefined {
  const limitBytes = Number(read(join(group, version.limit)).trim() || Number.NaN);
  const usage = Number(read(join(group, version.usage)).trim() || Number.NaN);
  // NaN: no such file, or `max`.
  if (!(limitBytes < noLimitBytes) || !(usage >= 0)) return undefined;
  const inactive = new RegExp(`^${version.inactive} (\\d+)$`, 'm').exec(read(join(group, 'memory.stat')))?.[1];
  return { usedBytes: Math.max(0, usage - Number(inactive ?? 0)), limitBytes };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
