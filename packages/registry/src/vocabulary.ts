/**
 * What the definitions of a registry mean: their type, sealed secrets, names. Enough to serve definitions that have been
 * checked, without what reads and checks them, which would cost every worker 15 MB.
 */
export {
  type AccessLogChoice,
  type CompressionAlgo,
  type DefinitionSource,
  type Destination,
  type HeaderRule,
  type PathRewrite,
  type PathType,
  type PlainSecrets,
  type PluginOptions,
  type PluginUse,
  type Problem,
  type ProblemReason,
  type RateLimit,
  type RateLimitKey,
  type ServiceDefinition,
  type ServiceDomainAlgo,
  type ServiceKey,
  type ServiceLabels,
  type ServiceProblems,
  type Severity,
  serviceKey,
  type UserEntry,
} from '@swarmgate/labels';
export * from './definition/carry-since.ts';
export type * from './definition/endpoints-document.ts';
export * from './definition/maintenance-document.ts';
export * from './definition/seal.ts';
export * from './definition/seal-certificate.ts';
export * from './definition/seal-passwords.ts';
export * from './definition/seal-secret.ts';
