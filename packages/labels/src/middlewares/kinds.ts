import { allowedHosts, basicAuth, encodedCharacters } from './access-kinds.ts';
import { passTLSClientCert } from './certificate-kinds.ts';
import { forwardAuth } from './forward-auth.ts';
import { headers } from './header-kinds.ts';
import { inFlightConn, inFlightReq, ipAllowList, rateLimit } from './limit-kinds.ts';
import type { MiddlewareKind, OptionsOf } from './middleware-kind.ts';
import { addPrefix, replacePath, replacePathRegex, stripPrefix, stripPrefixRegex } from './path-kinds.ts';
import { redirectRegex, redirectScheme } from './redirect-kinds.ts';
import { buffering, circuitBreaker, compress, contentType, errors, retry } from './response-kinds.ts';

/**
 * Every kind of middleware, in the order in which labels of one destination take effect; `middlewares` has an order of its
 * own. Who may not call is refused first, preflights are served before anyone has to log in, and paths change last, so
 * that an auth service gets the client's.
 */
export const middlewareKinds = {
  encodedCharacters,
  ipAllowList,
  inFlightConn,
  allowedHosts,
  passTLSClientCert,
  redirectScheme,
  redirectRegex,
  inFlightReq,
  rateLimit,
  buffering,
  headers,
  forwardAuth,
  basicAuth,
  errors,
  circuitBreaker,
  retry,
  compress,
  contentType,
  stripPrefix,
  stripPrefixRegex,
  replacePath,
  replacePathRegex,
  addPrefix,
} as const;

export type MiddlewareKindName = keyof typeof middlewareKinds;

/** Options of one kind, as a document holds them. */
export type MiddlewareOptionsOf<Kind extends MiddlewareKindName> =
  (typeof middlewareKinds)[Kind] extends MiddlewareKind<Kind, infer Options> ? OptionsOf<Options> : never;

/** What cannot be served: its route responds with 503. `name` is what the label names, `why` a sentence for operators. */
export interface UnsupportedMiddleware {
  readonly kind: 'unsupported';
  readonly name: string;
  readonly why: string;
}

type KnownUse = {
  [Kind in MiddlewareKindName]: { readonly kind: Kind } & MiddlewareOptionsOf<Kind>;
}[MiddlewareKindName];

/** One middleware of a route, with its options. */
export type MiddlewareUse = KnownUse | UnsupportedMiddleware;

/** The use of one kind. */
export type UseOf<Kind extends MiddlewareKindName> = Extract<KnownUse, { readonly kind: Kind }>;
