import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PluginUse } from '@swarmgate/registry';

/** Why a plug-in cannot be used. */
export interface PluginFault {
  readonly plugin: string;
  readonly message: string;
}

/** What the process that checks receives and reports, by its channel. */
export interface CheckRequest {
  readonly directory: string;
  readonly uses: readonly PluginUse[];
}
export type CheckMessage =
  | { readonly kind: 'checking'; readonly plugin: string }
  | { readonly kind: 'checked'; readonly faults: readonly PluginFault[] };

const mostMs = 30_000;
const program = fileURLToPath(new URL('./check-main.ts', import.meta.url));

/**
 * Imports the plug-ins of a folder and makes their middleware in a process of its own, which no request passes. Never rejects.
 * @param uses what routes name
 * @returns what cannot be used; a plug-in that ends the process or takes longer than 30 s is among it
 */
export function checkPlugins(
  directory: string,
  uses: readonly PluginUse[],
  signal: AbortSignal,
): Promise<readonly PluginFault[]> {
  const { promise, resolve } = Promise.withResolvers<readonly PluginFault[]>();
  const child = fork(program, [], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'], signal });
  const timer = setTimeout(() => child.kill('SIGKILL'), mostMs);
  let plugin = '';
  let faults: readonly PluginFault[] | undefined;
  child.on('message', (message: CheckMessage) => {
    if (message.kind === 'checking') plugin = message.plugin;
    else faults = message.faults;
  });
  child.on('error', () => child.kill('SIGKILL'));
  child.on('exit', (code, killedBy) => {
    clearTimeout(timer);
    const how = killedBy === null ? `exit code ${code}` : killedBy;
    resolve(faults ?? [{ plugin, message: `the process that checks the plug-in ${plugin} ended: ${how}` }]);
  });
  const request: CheckRequest = { directory, uses };
  child.send(request, () => undefined);
  return promise;
}
