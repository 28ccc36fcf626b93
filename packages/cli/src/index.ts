export type { Plugin, PluginContext, PluginHandler, PluginMiddleware } from '@swarmgate/proxy';
export { type CommandIo, processIo } from './io.ts';
export { main } from './main.ts';
