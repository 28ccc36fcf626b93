import { createContext, Script } from 'node:vm';
import { SwarmgateError } from '@swarmgate/runtime';

// Only a script has a time limit, and what it calls is within it.
const call = new Script('act()');

/**
 * Calls a function that may never return, in a loop or in `Atomics.wait`. A system call that waits is let go on.
 * @param mostMs by the clock, in milliseconds
 * @throws SwarmgateError `call-endless` where the time is over: the call has been ended where it was, without its `finally`
 */
export function callWithin<T>(mostMs: number, act: () => T): T {
  try {
    return call.runInContext(createContext({ act }), { timeout: mostMs }) as T;
  } catch (error) {
    if (!isTimeout(error)) throw error;
    throw new SwarmgateError('call-endless', `the call did not end within ${mostMs} ms`, { cause: error });
  }
}

/** An error of the script's own realm is no instance of this one's `Error`. */
function isTimeout(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
