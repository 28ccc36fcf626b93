export type { FieldsOf, LabelDocs, LabelEntry, ValueOf } from './catalogue/label-entry.ts';
export * from './catalogue/labels.ts';
export { type OtherLabel, otherLabels } from './catalogue/other-labels.ts';
export type { AccessLogChoice, CompressionAlgo } from './catalogue/processing-labels.ts';
export type { ServiceDomainAlgo } from './catalogue/routing-labels.ts';
export * from './definition/changed-labels.ts';
export { serviceBounds } from './definition/check-bounds.ts';
export { checkDestinations } from './definition/check-destinations.ts';
export { restrictionNotHonoured } from './definition/check-modes.ts';
export { definitionSizeProblem } from './definition/definition-size.ts';
export { labelName } from './definition/label-name.ts';
export { middlewareExpressions, middlewaresOf, unsupportedMiddleware } from './definition/middlewares-of.ts';
export type * from './definition/plain-secrets.ts';
export type * from './definition/problem.ts';
export * from './definition/problem-reasons.ts';
export * from './definition/required-features.ts';
export * from './definition/service-definition.ts';
export { defaultLabelFaults, type LabelDefaults } from './docker-flow/default-labels.ts';
export * from './docker-flow/docker-flow-response.ts';
export * from './docker-flow/environment-services.ts';
export type { LabelParameters } from './docker-flow/label-parameters.ts';
export * from './docker-flow/translate-parameters.ts';
export {
  type CircuitExpression,
  type CircuitFigures,
  readCircuitExpression,
} from './middlewares/circuit-expression.ts';
export { type ForwardAuthPreset, forwardAuthPresets } from './middlewares/forward-auth.ts';
export {
  type MiddlewareKindName,
  type MiddlewareOptionsOf,
  type MiddlewareUse,
  middlewareKinds,
  type UnsupportedMiddleware,
  type UseOf,
} from './middlewares/kinds.ts';
export type {
  MiddlewareKind,
  MiddlewareOption,
  OptionsOf,
  OptionTable,
  RequiredOption,
} from './middlewares/middleware-kind.ts';
export type { CountedBy, StatusRange } from './middlewares/option-values.ts';
export { showMiddleware } from './middlewares/show-middleware.ts';
export { controlCharacterIn } from './values/control-characters.ts';
export * from './values/credentials.ts';
export { isFixedRequestHeader, isFramingHeader } from './values/header-names.ts';
export { type HeaderRule, isSecretVariable } from './values/header-rules.ts';
export { methodOf } from './values/lists.ts';
export * from './values/nearest-name.ts';
export { networks } from './values/networks.ts';
export { type OutboundServer, readOutboundServer } from './values/outbound-servers.ts';
export { isPasswordHash } from './values/password-hash.ts';
export { type PathPatternText, pathPatternText } from './values/path-pattern.ts';
export type { PathRewrite } from './values/path-rewrites.ts';
export type { PathType } from './values/path-type.ts';
export { isPluginName, type PluginOption, type PluginOptions, type PluginUse } from './values/plugins.ts';
export type { RateLimit, RateLimitKey } from './values/rate-limit.ts';
export { readRule } from './values/read-rule.ts';
export { regularExpressionFault } from './values/regular-expression.ts';
export * from './values/rule-tree.ts';
export { type GivenUser, readUser, splitUsers, type UserEntry } from './values/users.ts';
export type { LabelParser, ParsedLabel, ParseOptions, Zod } from './values/value.ts';
