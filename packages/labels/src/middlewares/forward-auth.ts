import { boolean, oneOf } from '../values/plain.ts';
import { middlewareKind, optional, required } from './middleware-kind.ts';
import {
  duration,
  expression,
  headerName,
  headerText,
  listOf,
  pathText,
  requestHeaderName,
  serviceUrl,
  size,
} from './option-values.ts';

/** What a preset sets where the middleware does not. */
export interface ForwardAuthPreset {
  /** Of an address that names no path. */
  readonly path: string;
  readonly responseHeaders: readonly string[];
  readonly handThrough?: readonly string[];
  readonly signIn?: string;
  readonly userHeader: string;
}

export type ForwardAuthPresetName = 'authelia' | 'authentik' | 'oauth2-proxy';

/** The contracts as the projects document them. Of each, a 2xx passes its cookies on (`responseCookies=*`). */
export const forwardAuthPresets: Readonly<Record<ForwardAuthPresetName, ForwardAuthPreset>> = {
  authelia: {
    path: '/api/authz/forward-auth',
    responseHeaders: ['Remote-User', 'Remote-Groups', 'Remote-Email', 'Remote-Name'],
    userHeader: 'Remote-User',
  },
  authentik: {
    path: '/outpost.goauthentik.io/auth/traefik',
    responseHeaders: [
      'X-authentik-username',
      'X-authentik-groups',
      'X-authentik-entitlements',
      'X-authentik-email',
      'X-authentik-name',
      'X-authentik-uid',
      'X-authentik-jwt',
      'X-authentik-meta-jwks',
      'X-authentik-meta-outpost',
      'X-authentik-meta-provider',
      'X-authentik-meta-app',
      'X-authentik-meta-version',
    ],
    handThrough: ['/outpost.goauthentik.io/'],
    userHeader: 'X-authentik-username',
  },
  'oauth2-proxy': {
    path: '/oauth2/auth',
    responseHeaders: [
      'X-Auth-Request-User',
      'X-Auth-Request-Email',
      'X-Auth-Request-Groups',
      'X-Auth-Request-Preferred-Username',
      'X-Auth-Request-Access-Token',
    ],
    handThrough: ['/oauth2/'],
    signIn: '/oauth2/sign_in?rd={url}',
    userHeader: 'X-Auth-Request-User',
  },
};

export const forwardAuth = middlewareKind({
  kind: 'forwardAuth',
  positional: 'address',
  meaning:
    'Queries another service whether the request may pass: a 2xx lets it pass, every other response goes to the client. Without a usable response the request gets 503 `auth-unavailable` (docs/forward-auth.md).',
  example: 'http://authelia:9091,preset=authelia',
  restricts: 'forward-auth',
  options: {
    address: required(serviceUrl, {
      meaning:
        'URL of the auth service. Its host is a service of the Swarm, or a name or address that the proxy reaches.',
    }),
    preset: optional(oneOf('authelia', 'authentik', 'oauth2-proxy'), {
      meaning:
        'Sets path, copied headers, handed-through paths, sign-in and cookies as that service needs them; options that are set win.',
    }),
    responseHeaders: optional(listOf(requestHeaderName), {
      meaning:
        'Headers of a 2xx that go to the service. The client’s own are removed first, in every spelling that services fold together.',
    }),
    responseHeadersRegex: optional(expression, {
      isExpression: true,
      meaning: 'As `responseHeaders`, for every name that the expression matches.',
    }),
    requestHeaders: optional(listOf(headerName), {
      meaning: 'The client’s headers that are sent to the auth service.',
      default: 'all but those of the body',
    }),
    responseCookies: optional(listOf(headerText), {
      meaning: 'Cookies of a 2xx that go to the client; `*`: all.',
      default: 'none; of a preset all',
    }),
    handThrough: optional(listOf(pathText), {
      meaning: 'Path prefixes of the route that are served by the auth service itself, such as its sign-in pages.',
    }),
    signIn: optional(headerText, {
      meaning:
        'Where a 401 redirects a browser to: a path or URL in which `{url}` stands for what was requested. Other clients get the 401.',
    }),
    userHeader: optional(headerName, { meaning: 'Header of a 2xx whose value is the user in access log and traces.' }),
    timeoutMs: optional(duration(10, 60_000), {
      name: 'timeout',
      meaning: 'Until the whole response is there.',
      default: '10s',
    }),
    mostResponseBytes: optional(size(1, 16_777_216), {
      name: 'maxResponseBody',
      meaning: 'Body of a response; a larger one makes the auth service unavailable.',
      default: '1MB',
    }),
    preserveRequestMethod: optional(boolean, {
      meaning: 'Calls with the client’s method instead of GET, without a body.',
      default: 'false',
    }),
    preserveLocationHeader: optional(boolean, {
      meaning: 'Passes a relative `Location` on as it is, instead of resolving it against `address`.',
      default: 'false',
    }),
  },
});
