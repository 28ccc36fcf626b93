import { isCredentialName, type PluginOptions } from '@swarmgate/labels';
import type { PluginUse, Problem } from '@swarmgate/registry/vocabulary';
import { type Logger, messageOf, SwarmgateError } from '@swarmgate/runtime';
import { mount } from '../express-objects.ts';
import { callWithin } from './call-within.ts';
import type { LoadedPlugin } from './load-plugins.ts';
import type { PluginHandler } from './plugin.ts';
import { type PluginObserver, pluginHandler } from './plugin-handler.ts';

/** Middleware of a plug-in with its options, or why there is none. */
export type MadePlugin =
  | { readonly ok: true; readonly handlers: readonly PluginHandler[] }
  | { readonly ok: false; readonly problem: Omit<Problem, 'label'> };

export interface MakePluginOptions {
  readonly loaded: ReadonlyMap<string, LoadedPlugin>;
  readonly logger: Logger;
  readonly observer: PluginObserver;
  /** Of its context: aborts when the middleware is used no more. */
  readonly signal: AbortSignal;
  /** Plug-ins whose call did not end: they are not called again, with other options neither. */
  readonly endless: Set<string>;
  /** How long the call may take, in milliseconds. Default 5,000. */
  readonly mostMs?: number | undefined;
}

/** Longer than this the call of a plug-in would keep a process from serving all routes. */
const mostMakingMs = 5_000;

/** Calls the plug-in with its options. Never throws. */
export function makePlugin(
  { name, options = {} }: PluginUse,
  { loaded, logger, observer, signal, endless, mostMs = mostMakingMs }: MakePluginOptions,
): MadePlugin {
  const plugin = loaded.get(name);
  const make = plugin?.make;
  if (make === undefined)
    return plugin === undefined
      ? unusable('plugin-missing', `the plug-in ${name} is not in PLUGINS_DIR of this proxy`)
      : unusable('plugin-unusable', `the plug-in ${name} cannot be used: ${plugin.fault}`);
  if (endless.has(name)) return unusable('plugin-unusable', `the plug-in ${name} cannot be made: its call did not end`);
  try {
    const log = logger.child({ plugin: name });
    const given: unknown = callWithin(mostMs, () => make(Object.freeze({ ...options }), { name, log, signal }));
    const handlers = (Array.isArray(given) ? given : [given]) as readonly unknown[];
    if (handlers.length === 0 || !handlers.every(isHandler))
      return unusable('plugin-unusable', `the plug-in ${name} made ${shown(given)} of its options, not middleware`);
    for (const handler of handlers) mount(handler);
    return { ok: true, handlers: handlers.map((handler) => pluginHandler(name, handler, observer)) };
  } catch (error) {
    if (error instanceof SwarmgateError && error.code === 'call-endless') endless.add(name);
    logger.error({ err: error, plugin: name }, 'a plug-in cannot be made of its options');
    return unusable(
      'plugin-unusable',
      `the plug-in ${name} cannot be made of its options: ${withoutCredentials(messageOf(error), options)}`,
    );
  }
}

function unusable(reason: 'plugin-missing' | 'plugin-unusable', what: string): MadePlugin {
  const suggestion =
    reason === 'plugin-missing'
      ? 'Put a file of that name into PLUGINS_DIR of every proxy, or correct the label.'
      : 'Correct the file in PLUGINS_DIR or the options in the label; the log has the error.';
  return {
    ok: false,
    problem: { severity: 'warning', reason, message: `${what}, so the destination responds with 503`, suggestion },
  };
}

/** Problems are shown to more people than labels are: a plug-in may quote the option that it refuses. */
function withoutCredentials(message: string, options: PluginOptions): string {
  let shown = message;
  for (const [name, value] of Object.entries(options))
    if (isCredentialName(name) && value !== '') shown = shown.replaceAll(String(value), '(secret)');
  return shown;
}

function isHandler(value: unknown): value is PluginHandler {
  return typeof value === 'function';
}

function shown(value: unknown): string {
  if (value instanceof Promise) return 'a promise';
  return Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value;
}
