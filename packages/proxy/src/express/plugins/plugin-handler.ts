import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import { localResponse } from '../../exchange/local-responses.ts';
import type { ViewRequest } from '../view-request.ts';
import type { PluginHandler } from './plugin.ts';
import { runAs, runOutside } from './running-plugin.ts';

/** What is reported of a plug-in as requests pass it. */
export interface PluginObserver {
  /** Seconds from the call to `next`, or to the end of the exchange where the plug-in responds by itself. */
  readonly took: (plugin: string, seconds: number) => void;
  /** It did what has no effect, such as calling `next` twice. */
  readonly misused: (plugin: string, what: string) => void;
  /** JavaScript of the plug-in runs until `left` gets what this returned. */
  readonly entered: (plugin: string) => number;
  readonly left: (before: number) => void;
  /** It has blocked workers: its requests get 503 `plugin-suspended` instead. */
  readonly isSuspended: (plugin: string) => boolean;
}

/**
 * Wraps one handler of a plug-in: `next` counts once, errors name the plug-in, `next('router')` leaves this plug-in alone,
 * since the ones after it may restrict access.
 */
export function pluginHandler(plugin: string, handler: PluginHandler, observer: PluginObserver): PluginHandler {
  if (handler.length !== 4)
    return ((request, response, next) =>
      call(plugin, observer, request, response, next, (once) =>
        (handler as RequestHandler)(request, response, once),
      )) as RequestHandler;
  return ((error, request, response, next) =>
    call(plugin, observer, request, response, next, (once) =>
      (handler as ErrorRequestHandler)(error, request, response, once),
    )) as ErrorRequestHandler;
}

function call(
  plugin: string,
  observer: PluginObserver,
  request: Request,
  response: Response,
  next: NextFunction,
  act: (next: NextFunction) => unknown,
): void {
  const view = request as unknown as ViewRequest;
  if (observer.isSuspended(plugin)) {
    view.handled.respond(localResponse('plugin-suspended'));
    return;
  }
  const startedMs = performance.now();
  // An app exchanges the prototypes of both objects for its own.
  const [requestMethods, responseMethods] = [Object.getPrototypeOf(request), Object.getPrototypeOf(response)];
  let passed = false;
  let counted = false;
  const count = () => {
    if (!counted) observer.took(plugin, (performance.now() - startedMs) / 1_000);
    counted = true;
  };
  const passOn = (error: unknown) => {
    passed = true;
    count();
    view.runningPlugin = undefined;
    view.onPluginEnd = undefined;
    if (Object.getPrototypeOf(request) !== requestMethods) Object.setPrototypeOf(request, requestMethods);
    if (Object.getPrototypeOf(response) !== responseMethods) Object.setPrototypeOf(response, responseMethods);
    if (error !== undefined) view.failedPlugin = plugin;
    runOutside(() => next(error));
  };
  const fail = (error: unknown) => {
    const given = error ?? new Error(`the plug-in ${plugin} failed without an error`);
    if (!passed) passOn(given);
    else {
      view.failedPlugin = plugin;
      view.handled.onFault(given);
    }
  };
  const once = (error?: unknown) => {
    const isError = error !== undefined && error !== null && error !== 'route' && error !== 'router';
    if (isError) fail(error);
    else if (passed) observer.misused(plugin, 'it called next more than once for one request');
    else if (response.headersSent || response.writableEnded) {
      passed = true;
      observer.misused(plugin, 'it called next for a request that it had responded to');
    } else passOn(undefined);
  };
  view.runningPlugin = plugin;
  view.onPluginEnd = count;
  const before = observer.entered(plugin);
  try {
    const result = runAs({ plugin, onLateError: fail }, () => act(once as NextFunction));
    if (result instanceof Promise) result.then(undefined, fail);
    else if (isThenable(result)) Promise.resolve(result).then(undefined, fail);
  } catch (error) {
    fail(error);
  } finally {
    observer.left(before);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
}
