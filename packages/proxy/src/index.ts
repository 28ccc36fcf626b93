export { redactDefinition } from './control/admin/redact-definition.ts';
export type * from './control/admin/response-bodies.ts';
export type { LiveRequest } from './control/live/live-request.ts';
export { ownPorts } from './endpoints/own-ports.ts';
export type {
  Plugin,
  PluginContext,
  PluginHandler,
  PluginMiddleware,
} from './express/plugins/plugin.ts';
export type { Route } from './model/route.ts';
export { type ProxyOptions, type RunningProxy, startProxy } from './proxy.ts';
export { createRouteTable, type RouteTableOptions } from './routing/create-route-table.ts';
export type * from './routing/route-table.ts';
