import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** V8's collector, as Node exposes it. */
export type GarbageCollector = (options: {
  readonly type: 'minor' | 'major';
  readonly execution: 'sync';
  readonly flavor?: 'last-resort';
}) => void;

/** `undefined` where Node leaves it out. Takes the one that `--expose-gc` gives to all, else makes one for the caller alone. */
export function garbageCollector(): GarbageCollector | undefined {
  const exposed: unknown = globalThis.gc ?? ownCollector();
  return typeof exposed === 'function' ? (exposed as GarbageCollector) : undefined;
}

function ownCollector(): unknown {
  try {
    setFlagsFromString('--expose-gc');
    return runInNewContext('globalThis.gc');
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
