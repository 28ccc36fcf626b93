export * from './catalogue/docker-flow-answer.ts';
export * from './catalogue/environment-services.ts';
export { isSecretVariable } from './catalogue/header-rules.ts';
export * from './catalogue/label-entry.ts';
export { type GivenUser, readUsers } from './catalogue/label-parsers.ts';
export * from './catalogue/labels.ts';
export * from './catalogue/nearest-name.ts';
export { otherLabels } from './catalogue/other-labels.ts';
export * from './catalogue/parameters.ts';
export {
  createRegistry,
  openRegistry,
  type RegistryOptions,
  type RegistrySettings,
} from './create-registry.ts';
export * from './definition/carry-since.ts';
export * from './definition/check-definition.ts';
export type * from './definition/endpoints-document.ts';
export { isFixedRequestHeader, isFramingHeader } from './definition/header-names.ts';
export * from './definition/password-hash-format.ts';
export * from './definition/seal.ts';
export * from './definition/seal-certificate.ts';
export * from './definition/seal-passwords.ts';
export * from './definition/service-definition.ts';
export { rollbackTo } from './journal/history.ts';
export { type KeyLayout, keyLayout, type PlacedKey } from './journal/key-layout.ts';
export type * from './problem.ts';
export type * from './registry.ts';
export * from './registry-error.ts';
export * from './secrets-key.ts';
export { contendForLeadership, type LeadershipOptions } from './session/leadership.ts';
export { announceReplica, listReplicas, type PresenceOptions } from './session/presence.ts';
export { type ConsulStoreOptions, createConsulStore } from './store/consul-store.ts';
export { type EmbeddedStoreOptions, openEmbeddedStore } from './store/embedded-store.ts';
export type * from './store/key-value-store.ts';
