import type { PluginUse } from '@swarmgate/registry/vocabulary';
import { silentLogger } from '@swarmgate/runtime';
import { type LoadedPlugin, loadPlugins } from '../../express/plugins/load-plugins.ts';
import { makePlugin } from '../../express/plugins/make-plugin.ts';
import type { PluginObserver } from '../../express/plugins/plugin-handler.ts';
import type { CheckMessage, CheckRequest, PluginFault } from './check-plugins.ts';

const unobserved: PluginObserver = {
  took: () => undefined,
  misused: () => undefined,
  entered: () => 0,
  left: () => undefined,
  isSuspended: () => false,
};

/** The program that tries plug-ins before workers use them. See `checkPlugins`. */
async function check({ directory, uses }: CheckRequest): Promise<readonly PluginFault[]> {
  const loaded = await loadPlugins(directory, { onLoading: (plugin) => send({ kind: 'checking', plugin }) });
  const faults = [...loaded.values()].flatMap(({ name, fault }) =>
    fault === undefined ? [] : [{ plugin: name, message: fault }],
  );
  const ending = new AbortController();
  const endless = new Set<string>();
  for (const use of uses) {
    send({ kind: 'checking', plugin: use.name });
    faults.push(...faultsOf(use, loaded, endless, ending.signal));
  }
  ending.abort();
  return faults;
}

/** One without a file is removed, or has never been there; one that cannot be loaded is listed already. */
function faultsOf(
  use: PluginUse,
  loaded: ReadonlyMap<string, LoadedPlugin>,
  endless: Set<string>,
  signal: AbortSignal,
): readonly PluginFault[] {
  if (loaded.get(use.name)?.make === undefined) return [];
  const made = makePlugin(use, { loaded, logger: silentLogger, observer: unobserved, signal, endless });
  return made.ok ? [] : [{ plugin: use.name, message: made.problem.message }];
}

function send(message: CheckMessage): void {
  process.send?.(message);
}

process.once('message', (request: CheckRequest) => {
  const done = check(request).then((faults) => process.send?.({ kind: 'checked', faults }, () => process.exit(0)));
  done.catch(() => process.exit(1));
});
