export {
  createRegistry,
  openRegistry,
  type RegistryOptions,
  type RegistrySettings,
  readConsulAccess,
} from './create-registry.ts';
export * from './definition/check-definition.ts';
export { checkMaintenance, type MaintenanceCheck, maintenancePageShape } from './definition/check-maintenance.ts';
export { isSameDefinition } from './definition/same-definition.ts';
export { parseJson } from './journal/documents.ts';
export { rollbackTo } from './journal/history.ts';
export { type KeyLayout, keyLayout, keyPatterns, type PlacedKey } from './journal/key-layout.ts';
export type * from './registry.ts';
export * from './registry-error.ts';
export * from './secrets-key.ts';
export { contendForLeadership, type LeadershipOptions } from './session/leadership.ts';
export { announceReplica, type PresenceOptions } from './session/presence.ts';
export { consulUrl } from './store/consul-client.ts';
export { type ConsulStoreOptions, createConsulStore } from './store/consul-store.ts';
export { type EmbeddedStoreOptions, openEmbeddedStore } from './store/embedded-store.ts';
export type * from './store/key-value-store.ts';
export * from './vocabulary.ts';
