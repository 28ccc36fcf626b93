import { availableParallelism } from 'node:os';
import { type LabelParser, serviceLabels } from '@swarmgate/labels';
import type { Logger, Settings } from '@swarmgate/runtime';
import type { Route } from '../model/route.ts';
import { allowedMethods, deniedMethods, denyHttp, verifyClientSsl } from './access-rules.ts';
import { allowedAddresses } from './allowed-addresses.ts';
import { basicAuth } from './auth/basic-auth.ts';
import { PasswordVerifier } from './auth/password-verifier.ts';
import { UserDirectory } from './auth/user-directory.ts';
import { type EndpointChoice, ServiceCalls } from './calls/service-calls.ts';
import { availableAlgorithms, type Compression, compression, usualTypes } from './compression.ts';
import { connectionMode } from './connection-mode.ts';
import { grpcWeb } from './grpc-web.ts';
import { type Environment, requestHeaders, responseHeaders } from './header-changes.ts';
import { forwardedProtoRedirect, httpsOnly, type SecurePorts, securePortsOf } from './https-redirect.ts';
import { createLimiters, type Limiters } from './limits/limiters.ts';
import { rateLimit } from './limits/rate-limit.ts';
import { LocalSemaphores, type Semaphores } from './limits/semaphores.ts';
import type { Middleware, MiddlewareOf } from './middleware.ts';
import { pathRewrite } from './path-rewrite.ts';
import { rewriteResponse } from './rewrite-response.ts';
import { listedSteps } from './route-steps.ts';
import { stickyCookie } from './sticky-cookie.ts';

export interface MiddlewareOptions {
  readonly settings: Pick<
    Settings,
    | 'users'
    | 'usersPassEncrypted'
    | 'httpsOnly'
    | 'redisUrl'
    | 'instanceName'
    | 'compressionAlgo'
    | 'compressionType'
    | 'connectionMode'
    | 'defaultPorts'
    | 'bindPorts'
    | 'publishedPorts'
    | 'mostHeadBytes'
    | 'timeoutConnectMs'
    | 'workers'
  >;
  /** The balancer, for calls of middleware to services. Default: no service has an endpoint. */
  readonly endpoints?: EndpointChoice;
  /** What `%[env(NAME)]` reads. */
  readonly env: Environment;
  readonly logger: Logger;
  /** Where `dfp_users_<name>` files are. Default `/run/secrets`. */
  readonly secretsDir?: string;
  /**
   * Who counts for `rateLimit`. A worker passes a client of its control process, since a limit is per proxy. Default: this
   * process by itself, or over Redis.
   */
  readonly limiters?: Limiters;
  /** What counts requests in flight. A worker passes a client of its control process. Default: this process by itself. */
  readonly semaphores?: Semaphores;
}

/** All per-route steps of one process, with what they share: users, verified passwords, counters. */
export interface RouteMiddleware {
  readonly middlewareOf: MiddlewareOf;
  stop(): Promise<void>;
}

/** Compiles a route's steps when they are first requested and keeps them with the route. */
export function createMiddleware(options: MiddlewareOptions): RouteMiddleware {
  const { settings, logger } = options;
  const parts: StepParts = {
    options,
    securePorts: securePortsOf([...settings.defaultPorts, ...settings.bindPorts], settings.publishedPorts),
    directory: new UserDirectory({
      users: settings.users,
      usersPassEncrypted: settings.usersPassEncrypted,
      logger,
      ...(options.secretsDir === undefined ? {} : { secretsDir: options.secretsDir }),
    }),
    verifier: new PasswordVerifier(),
    limiters:
      options.limiters ?? createLimiters({ redisUrl: settings.redisUrl, instance: settings.instanceName, logger }),
    semaphores: options.semaphores ?? new LocalSemaphores(),
    compression: defaultCompression(settings),
    calls: new ServiceCalls({ ...(options.endpoints ?? noEndpoints), logger, connectMs: settings.timeoutConnectMs }),
  };
  const compiled = new WeakMap<Route, readonly Middleware[]>();
  const middlewareOf: MiddlewareOf = (route) => {
    let steps = compiled.get(route);
    if (steps === undefined) {
      steps = Object.freeze(stepsOf(route, parts));
      compiled.set(route, steps);
    }
    return steps;
  };
  return {
    middlewareOf,
    async stop() {
      parts.limiters.stop();
      parts.calls.stop();
      await parts.verifier.stop();
    },
  };
}

interface StepParts {
  readonly options: MiddlewareOptions;
  readonly securePorts: SecurePorts;
  readonly directory: UserDirectory;
  readonly verifier: PasswordVerifier;
  readonly limiters: Limiters;
  readonly semaphores: Semaphores;
  readonly compression: Partial<Compression>;
  readonly calls: ServiceCalls;
}

const noEndpoints: EndpointChoice = {
  pick: () => ({ kind: 'none', reason: 'no-endpoint' }),
  finished: () => undefined,
};

/**
 * The documented order: addresses, redirects, certificate, methods, http, the route's middlewares, headers, rewriting, users;
 * then what concerns the response. Request headers before users is Docker Flow's order; users are checked by what the client
 * sent. Middlewares stand before rewriting, so that an auth service gets the path that the client requested.
 */
function stepsOf(route: Route, parts: StepParts): Middleware[] {
  const { definition, destination } = route;
  const { options, securePorts, directory, verifier, limiters } = parts;
  const scope = destination.ignoreAuthorization === true ? 'none' : directory.requiredBy(definition);
  const auth = scope === 'none' ? undefined : basicAuth({ definition, scope, directory, verifier });
  const limit = definition.rateLimit;
  const compressed = compressionOf(route, parts.compression);
  const listed = listedSteps(route, {
    calls: parts.calls,
    logger: options.logger,
    verifier,
    semaphores: parts.semaphores,
    sharedLimiters: options.settings.redisUrl === undefined ? undefined : limiters,
    workers: options.settings.workers === 'cores' ? availableParallelism() : options.settings.workers,
    securePorts,
    mostBytes: options.settings.mostHeadBytes,
  });
  const steps: (Middleware | undefined)[] = [
    // First, so that refusals of the others are sent as clients of gRPC-Web read them.
    destination.grpcWeb === true ? grpcWeb : undefined,
    definition.allowedAddresses && allowedAddresses(definition.allowedAddresses),
    // A limit of its own counts for its destination alone.
    limit &&
      rateLimit(
        destination.overrides?.rateLimit === undefined ? route.key : `${route.key}/${destination.index}`,
        limit,
        definition.rateLimitKey ?? { kind: 'ip' },
        limiters,
      ),
    auth?.remember,
    httpsOnlyOf(route, options.settings.httpsOnly, securePorts),
    definition.redirectWhenHttpProto ? forwardedProtoRedirect('redirectWhenHttpProto', securePorts) : undefined,
    definition.redirectUnlessHttpsProto ? forwardedProtoRedirect('redirectUnlessHttpsProto', securePorts) : undefined,
    destination.verifyClientSsl ? verifyClientSsl : undefined,
    destination.allowedMethods && allowedMethods(destination.allowedMethods),
    destination.deniedMethods && deniedMethods(destination.deniedMethods),
    destination.denyHttp ? denyHttp : undefined,
    ...listed.forRequests,
    destination.rewriteResponse === true && destination.reqPathSearchReplace ? rewriteResponse : undefined,
    requestHeaders(
      {
        add: definition.addReqHeader ?? [],
        set: definition.setReqHeader ?? [],
        del: definition.delReqHeader ?? [],
      },
      options.env,
    ),
    responseHeaders(
      {
        add: definition.addResHeader ?? [],
        set: definition.setResHeader ?? [],
        del: definition.delResHeader ?? [],
      },
      options.env,
    ),
    destination.reqPathSearchReplace && pathRewrite(destination.reqPathSearchReplace, options.settings.mostHeadBytes),
    auth?.check,
    definition.sessionType === 'sticky-server'
      ? stickyCookie(definition.sessionCookie ?? definition.service, definition.sessionCookieAttributes)
      : undefined,
    connectionMode(definition.connectionMode ?? options.settings.connectionMode),
    ...listed.forResponses,
    compressed && compression(compressed),
  ];
  return steps.filter((step) => step !== undefined);
}

function httpsOnlyOf(route: Route, everywhere: boolean, ports: SecurePorts): Middleware | undefined {
  const { httpsOnly: requested, httpsRedirectCode: status = 302 } = route.destination;
  if (requested === true) return httpsOnly({ name: 'httpsOnly', status, ports });
  return everywhere ? httpsOnly({ name: 'HTTPS_ONLY', status, ports }) : undefined;
}

function compressionOf({ definition }: Route, defaults: Partial<Compression>): Compression | undefined {
  const algorithms = availableAlgorithms(definition.compressionAlgo ?? defaults.algorithms ?? []);
  if (algorithms.length === 0) return undefined;
  return { algorithms, types: definition.compressionType ?? defaults.types ?? usualTypes };
}

/** `COMPRESSION_ALGO` and `COMPRESSION_TYPE`, read as the labels are. */
function defaultCompression(settings: MiddlewareOptions['settings']): Partial<Compression> {
  const algorithms = readAs(settings.compressionAlgo, serviceLabels.compressionAlgo.parse);
  const types = readAs(settings.compressionType, serviceLabels.compressionType.parse);
  return { ...(algorithms === undefined ? {} : { algorithms }), ...(types === undefined ? {} : { types }) };
}

function readAs<T>(text: string | undefined, parse: LabelParser<T>): T | undefined {
  const parsed = text === undefined ? undefined : parse(text, { separator: ',' });
  return parsed?.ok === true ? parsed.value : undefined;
}
