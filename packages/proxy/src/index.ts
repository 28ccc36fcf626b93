export type * from './admin/answers.ts';
export type * from './admin/answers.ts';
export { type ProxyOptions, type RunningProxy, startProxy } from './proxy.ts';
export type * from './routing/route-table.ts';
