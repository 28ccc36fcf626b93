import { type MiddlewareUse, middlewaresOf, type UnsupportedMiddleware } from '@swarmgate/labels';
import type { Logger } from '@swarmgate/runtime';
import type { Route } from '../model/route.ts';
import { allowedHosts } from './access/allowed-hosts.ts';
import { encodedCharacters } from './access/encoded-characters.ts';
import { ipAllowList } from './access/ip-allow-list.ts';
import { passTLSClientCert } from './access/pass-client-certificate.ts';
import { listedBasicAuth } from './auth/listed-basic-auth.ts';
import type { PasswordVerifier } from './auth/password-verifier.ts';
import type { ServiceCalls } from './calls/service-calls.ts';
import { listedCompression } from './compression.ts';
import { forwardAuth } from './forward-auth/forward-auth.ts';
import { headers } from './headers/headers.ts';
import type { SecurePorts } from './https-redirect.ts';
import { inFlightReq } from './limits/in-flight.ts';
import type { Limiters } from './limits/limiters.ts';
import type { Semaphores } from './limits/semaphores.ts';
import { type BucketParts, tokenBucket } from './limits/token-bucket.ts';
import type { Middleware } from './middleware.ts';
import { addPrefix } from './paths/add-prefix.ts';
import { replacePath, replacePathRegex } from './paths/replace-path.ts';
import { stripPrefix, stripPrefixRegex } from './paths/strip-prefix.ts';
import { redirectRegex } from './redirects/redirect-regex.ts';
import { redirectScheme } from './redirects/redirect-scheme.ts';
import { buffering } from './upstream/buffering.ts';
import { circuitBreaker } from './upstream/circuit-breaker.ts';
import { errorPages } from './upstream/error-pages.ts';
import { retry } from './upstream/retry.ts';

export interface ListedStepParts {
  readonly calls: Pick<ServiceCalls, 'call'>;
  readonly logger: Logger;
  readonly securePorts: SecurePorts;
  readonly verifier: PasswordVerifier;
  /** Counts rate limits for all proxies together, where Redis is set. */
  readonly sharedLimiters: Pick<Limiters, 'count'> | undefined;
  /** Count what is in flight, for all processes of the proxy together. */
  readonly semaphores: Semaphores;
  /** Processes that serve the route. */
  readonly workers: number;
  /** Of a path after a change: `MAX_HEAD_BYTES`. */
  readonly mostBytes: number;
}

/** The middlewares of a route as steps: for requests in their order, for responses in the reverse one. */
export interface ListedSteps {
  readonly forRequests: readonly Middleware[];
  readonly forResponses: readonly Middleware[];
}

const none: ListedSteps = { forRequests: [], forResponses: [] };

export function listedSteps(route: Route, parts: ListedStepParts): ListedSteps {
  const uses = middlewaresOf(route.destination);
  if (uses.length === 0) return none;
  const steps = uses.map((use, at) => stepOf(use, at, route, parts)).filter((step) => step !== undefined);
  return {
    forRequests: steps.map(({ onResponse: _response, transform: _transform, ...step }) => step),
    // The one nearest to the endpoint has its turn first, as if each wrapped the ones behind it.
    forResponses: steps.toReversed().flatMap(({ name, onResponse, transform }) => {
      if (onResponse === undefined && transform === undefined) return [];
      return [
        {
          name,
          ...(onResponse === undefined ? {} : { onResponse }),
          ...(transform === undefined ? {} : { transform }),
        },
      ];
    }),
  };
}

function bucketParts(at: number, route: Route, parts: ListedStepParts): BucketParts {
  const { workers, sharedLimiters: limiters } = parts;
  return limiters === undefined ? { workers } : { workers, shared: { limiters, scope: scopeOf(route, at) } };
}

/** The same before and after a change of the table. */
function scopeOf({ key, destination }: Route, at: number): string {
  return `${key}/${destination.index}/${at}`;
}

function stepOf(use: MiddlewareUse, at: number, route: Route, parts: ListedStepParts): Middleware | undefined {
  switch (use.kind) {
    case 'stripPrefix':
      return stripPrefix(use, parts);
    case 'stripPrefixRegex':
      return stripPrefixRegex(use, parts);
    case 'addPrefix':
      return addPrefix(use, parts);
    case 'replacePath':
      return replacePath(use, parts);
    case 'replacePathRegex':
      return replacePathRegex(use, parts);
    case 'redirectScheme':
      return redirectScheme(use, parts.securePorts);
    case 'redirectRegex':
      return redirectRegex(use, parts);
    case 'forwardAuth':
      return forwardAuth(use, route, parts);
    case 'headers':
      return headers(use);
    case 'ipAllowList':
      return ipAllowList(use);
    case 'allowedHosts':
      return allowedHosts(use);
    case 'passTLSClientCert':
      return passTLSClientCert(use);
    case 'rateLimit':
      return tokenBucket(use, bucketParts(at, route, parts));
    case 'inFlightReq':
      return inFlightReq(use, { semaphores: parts.semaphores, scope: scopeOf(route, at) });
    case 'inFlightConn':
      // Of connections that are relayed: requests share theirs.
      return unsupported({ name: use.kind });
    case 'basicAuth':
      return listedBasicAuth(use, route, parts.verifier);
    case 'encodedCharacters':
      return encodedCharacters(use);
    case 'buffering':
      return buffering(use);
    case 'circuitBreaker':
      return circuitBreaker(use);
    case 'retry':
      return retry(use);
    case 'errors':
      return errorPages(use, route, parts);
    case 'compress':
      return listedCompression(use);
    case 'contentType':
      // The proxy guesses no type, whatever the option is.
      return undefined;
    case 'unsupported':
      return unsupported(use);
  }
}

/** The table responds with 503 before any step of such a route runs; a route of another making stays closed by this. */
function unsupported({ name }: Pick<UnsupportedMiddleware, 'name'>): Middleware {
  const body = 'a restriction of this route cannot be honoured\n';
  const response = { status: 503, reason: 'unsupported-feature', headers: [], body };
  return { name: name === '' ? 'unsupported' : name, onRequest: () => ({ kind: 'respond', response }) };
}
