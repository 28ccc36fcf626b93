export * from './definition/carry-since.ts';
export * from './definition/check-definition.ts';
export type * from './definition/endpoints-document.ts';
export * from './definition/service-definition.ts';
export type * from './problem.ts';
export type * from './registry.ts';
export * from './registry-error.ts';
export type * from './store/key-value-store.ts';
