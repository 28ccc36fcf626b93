import type { PluginOptions } from '@swarmgate/registry/vocabulary';
import type { Logger } from '@swarmgate/runtime';
import type { ErrorRequestHandler, RequestHandler } from 'express';

/** What a plug-in is made with beside its options. */
export interface PluginContext {
  /** Of the file, without its extension. */
  readonly name: string;
  /** The proxy's structured log; every line names the plug-in. */
  readonly log: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  /** Aborts when no route uses this middleware any more, and when the process drains: for connections and timers. */
  readonly signal: AbortSignal;
}

/** Middleware of a plug-in: a handler of Express, a router, an app, an error handler (four parameters), or several in order. */
export type PluginMiddleware = PluginHandler | readonly PluginHandler[];
export type PluginHandler = RequestHandler | ErrorRequestHandler;

/**
 * Default export of a file in `PLUGINS_DIR`. Called in every worker, once for all routes that name the plug-in with the same
 * options. Must not return a promise: what has to be awaited belongs at the top level of the file. An error blocks those
 * routes with 503.
 */
export type Plugin<Options extends PluginOptions = PluginOptions> = (
  options: Options,
  context: PluginContext,
) => PluginMiddleware;
