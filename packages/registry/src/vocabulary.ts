/**
 * What definitions mean: labels, sealed secrets, names. Enough to serve definitions that others have read and checked, and
 * without what reads and checks them, which would cost every worker 15 MB.
 */
export * from './catalogue/changed-labels.ts';
export * from './catalogue/docker-flow-answer.ts';
export * from './catalogue/environment-services.ts';
export { isSecretVariable } from './catalogue/header-rules.ts';
export * from './catalogue/label-entry.ts';
export { type GivenUser, readUsers } from './catalogue/label-parsers.ts';
export * from './catalogue/labels.ts';
export { otherLabels } from './catalogue/other-labels.ts';
export * from './catalogue/parameters.ts';
export * from './definition/carry-since.ts';
export type * from './definition/endpoints-document.ts';
export { isFixedRequestHeader, isFramingHeader } from './definition/header-names.ts';
export * from './definition/nearest-name.ts';
export * from './definition/password-hash-format.ts';
export * from './definition/seal.ts';
export * from './definition/seal-certificate.ts';
export * from './definition/seal-passwords.ts';
export * from './definition/service-definition.ts';
export type * from './problem.ts';
