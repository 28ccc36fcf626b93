import { isForRelays } from '../middlewares/for-relays.ts';
import type { MiddlewareKindName } from '../middlewares/kinds.ts';
import { middlewareKinds } from '../middlewares/kinds.ts';
import { middlewareList, middlewareValue } from '../middlewares/middleware-values.ts';
import { added, httpOnly, label, relaysOnly } from './label-entry.ts';

/** One middleware by one label: `com.df.<kind>`. */
function ofKind<Kind extends MiddlewareKindName>(kind: Kind) {
  const { meaning, example, restricts } = middlewareKinds[kind] as {
    meaning: string;
    example: string;
    restricts?: string;
  };
  return label(kind, middlewareValue(kind), {
    meaning: `${meaning} Options: docs/middlewares.md.`,
    modes: kind === 'inFlightConn' ? relaysOnly : httpOnly,
    ...(kind === 'ipAllowList' ? { inRelays: (value: unknown) => isForRelays({ kind, ...(value as object) }) } : {}),
    example,
    ...(restricts === undefined ? {} : { restricts }),
    // Headers of a route may be credentials.
    ...(kind === 'headers' ? { secret: true } : {}),
    dockerFlow: added,
  });
}

/** Middleware of a destination, in the order in which the labels take effect. */
export const middlewareDestinationLabels = {
  encodedCharacters: ofKind('encodedCharacters'),
  ipAllowList: ofKind('ipAllowList'),
  inFlightConn: ofKind('inFlightConn'),
  allowedHosts: ofKind('allowedHosts'),
  passTLSClientCert: ofKind('passTLSClientCert'),
  redirectScheme: ofKind('redirectScheme'),
  redirectRegex: ofKind('redirectRegex'),
  inFlightReq: ofKind('inFlightReq'),
  buffering: ofKind('buffering'),
  headers: ofKind('headers'),
  forwardAuth: ofKind('forwardAuth'),
  errors: ofKind('errors'),
  circuitBreaker: ofKind('circuitBreaker'),
  retry: ofKind('retry'),
  contentType: ofKind('contentType'),
  stripPrefix: ofKind('stripPrefix'),
  stripPrefixRegex: ofKind('stripPrefixRegex'),
  replacePath: ofKind('replacePath'),
  replacePathRegex: ofKind('replacePathRegex'),
  addPrefix: ofKind('addPrefix'),
  middlewares: label('middlewares', middlewareList, {
    meaning:
      'Middlewares in an order of their own, one kind as often as needed: `stripPrefix(/api),headers(frameDeny=true)`. They follow those of the other labels (docs/middlewares.md). Of `tcp`, `sni` and `tls` services `ipAllowList` and `inFlightConn` alone.',
    modes: httpOnly,
    inRelays: (value) => Array.isArray(value) && value.every(isForRelays),
    restricts: 'middlewares',
    secret: true,
    example: 'ipAllowList(10.0.0.0/8),stripPrefix(/api),addPrefix(/v2)',
    dockerFlow: added,
  }),
};
