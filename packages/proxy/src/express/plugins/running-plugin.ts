import { AsyncLocalStorage } from 'node:async_hooks';

/** What runs just now, and for which exchange. */
export interface RunningPlugin {
  /** Of one plug-in, or of all plug-ins of a route where any of them may run. */
  readonly plugin: string;
  /** An error that comes later (a timer, an event) costs this exchange. */
  readonly onLateError?: (error: unknown) => void;
}

const running = new AsyncLocalStorage<RunningPlugin | undefined>();

/** Runs `act` as part of a plug-in: errors of its timers and events are reported by `runningPlugin`. */
export function runAs<T>(plugin: RunningPlugin, act: () => T): T {
  return running.run(plugin, act);
}

/** Runs `act` as part of the proxy: connections that it opens outlive the exchange, and belong to no plug-in. */
export function runOutside<T>(act: () => T): T {
  return running.run(undefined, act);
}

export function runningPlugin(): RunningPlugin | undefined {
  return running.getStore();
}

interface ErrorTaker {
  readonly nameIn: (error: unknown) => string | undefined;
  readonly onError: (plugin: string, error: unknown) => void;
}

const takers = new Set<ErrorTaker>();

/**
 * Takes errors that nothing caught in timers, events and promises of plug-ins; without this they cost the process, and with it
 * the requests of every other service. Errors of the proxy itself go to the process's own listeners as before.
 * @param nameIn the plug-in whose file an error's stack names
 * @returns the way to end it
 */
export function catchPluginErrors(nameIn: ErrorTaker['nameIn'], onError: ErrorTaker['onError']): () => void {
  const taker = { nameIn, onError };
  takers.add(taker);
  // A listener of 'uncaughtException' would run beside the process's own, which drains the process.
  if (takers.size === 1) process.setUncaughtExceptionCaptureCallback(onUncaught);
  return () => {
    if (takers.delete(taker) && takers.size === 0) process.setUncaughtExceptionCaptureCallback(null);
  };
}

function onUncaught(error: unknown): void {
  const store = runningPlugin();
  for (const { nameIn, onError } of takers) {
    const plugin = nameIn(error) ?? store?.plugin;
    if (plugin === undefined) continue;
    // The exchange reports its errors itself, those that come after its end too.
    if (store?.onLateError === undefined) onError(plugin, error);
    else store.onLateError(error);
    return;
  }
  if (!process.emit('uncaughtException', error as Error, 'uncaughtException')) throw error;
}
