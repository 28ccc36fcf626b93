import type { Logger, Settings } from '@swarmgate/runtime';
import type { Registry as Metrics } from 'prom-client';
import type { ExchangeContext } from '../../exchange/exchange-context.ts';
import { pluginMetrics } from '../../express/plugins/plugin-metrics.ts';
import type { ServedPlugins } from '../../express/plugins/served-plugins.ts';
import type { ServingDependencies } from './serving-dependencies.ts';

/** The plug-ins of this process; `undefined` without `PLUGINS_DIR`. @throws where the folder cannot be read */
export async function loadRoutePlugins(
  { pluginsDir }: Settings,
  logger: Logger,
  metrics: Metrics,
  { blockReportFd, suspendedPlugins, tasks }: ServingDependencies,
): Promise<ServedPlugins | undefined> {
  // Registered in any case, so that dashboards find them.
  const registered = pluginMetrics(metrics);
  if (pluginsDir === undefined) return undefined;
  // With Express, which takes 10 MB of each process that loads it.
  const { ServedPlugins } = await import('../../express/plugins/served-plugins.ts');
  return ServedPlugins.load({
    directory: pluginsDir,
    logger,
    metrics: registered,
    blockReportFd,
    suspended: suspendedPlugins,
    owner: tasks.owner('plug-ins'),
  });
}

/** Express serves every route where `HTTP_ROUTER` is `express`, else those that name plug-ins. The others are forwarded directly. */
export async function routeHandlers(
  settings: Settings,
  plugins: ServedPlugins | undefined,
): Promise<Pick<ExchangeContext, 'handlerOf'>> {
  const all = settings.httpRouter === 'express';
  if (plugins === undefined && !all) return {};
  const { createExpressRouter } = await import('../../express/express-router.ts');
  if (plugins === undefined) return { handlerOf: createExpressRouter() };
  return {
    handlerOf: createExpressRouter({
      ...(all ? {} : { handles: (route) => route.destination.plugins !== undefined }),
      pluginsOf: (route) => plugins.routes.handlersOf(route),
      nameIn: (error) => plugins.nameIn(error),
      onFailed: (plugin, error, route) => plugins.onFailed(plugin, error, route),
      silenceMs: settings.timeoutServerMs,
    }),
  };
}
