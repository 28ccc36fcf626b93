import { readFileSync, statSync } from 'node:fs';

/** How many files and sockets this process may have open at once. `undefined` where the system does not show it, or has no limit. */
export function descriptorLimit(file = '/proc/self/limits'): number | undefined {
  const found = /^Max open files\s+(\d+)/m.exec(textOf(file) ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

/** How many it has open, without opening one. `undefined` before Linux 6.2, where the directory has no size, and elsewhere. */
export function descriptorsInUse(directory = '/proc/self/fd'): number | undefined {
  try {
    const { size } = statSync(directory);
    return size > 0 ? size : undefined;
  } catch {
    return undefined;
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
