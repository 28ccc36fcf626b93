import { boolean, integer } from '../values/plain.ts';
import { middlewareKind, optional } from './middleware-kind.ts';
import { expression, headerText, linesOf, listOf, requestHeaders, responseHeaders } from './option-values.ts';

/** Headers of requests and responses; what browsers are sent; CORS. */
export const headers = middlewareKind({
  kind: 'headers',
  meaning:
    'Sets and removes headers, sends security headers, and responds for CORS. With `allowMethods`, `allowHeaders`, `allowOrigins` or `allowOriginsRegex` the proxy responds to preflights itself, before everything that follows in the list.',
  example: 'response.X-Served-By=swarmgate,stsSeconds=31536000,frameDeny=true,contentTypeNosniff=true',
  options: {
    request: optional(requestHeaders, {
      keyed: true,
      meaning: '`request.NAME=value` sets a header of the request in every spelling; an empty value removes it.',
    }),
    response: optional(responseHeaders, {
      keyed: true,
      meaning: '`response.NAME=value` sets a header of the response; an empty value removes it.',
    }),
    allowOrigins: optional(listOf(headerText), { meaning: 'Origins that may read responses; `*`: all.' }),
    allowOriginsRegex: optional(linesOf(expression), {
      isExpression: true,
      meaning: 'As `allowOrigins`, for every origin that an expression matches.',
    }),
    allowMethods: optional(listOf(headerText), { meaning: '`Access-Control-Allow-Methods` of a preflight.' }),
    allowHeaders: optional(listOf(headerText), { meaning: '`Access-Control-Allow-Headers` of a preflight.' }),
    exposeHeaders: optional(listOf(headerText), { meaning: '`Access-Control-Expose-Headers`.' }),
    allowCredentials: optional(boolean, { meaning: '`Access-Control-Allow-Credentials`.', default: 'false' }),
    maxAgeSeconds: optional(integer(0, 31_536_000), {
      name: 'maxAge',
      meaning: '`Access-Control-Max-Age` of a preflight, in seconds.',
    }),
    addVary: optional(boolean, { meaning: 'Adds `Vary: Origin`.', default: 'true where origins are named' }),
    stsSeconds: optional(integer(0, 630_720_000), {
      meaning: '`max-age` of `Strict-Transport-Security`, sent over https.',
    }),
    stsIncludeSubdomains: optional(boolean, { meaning: 'Adds `includeSubDomains`.', default: 'false' }),
    stsPreload: optional(boolean, { meaning: 'Adds `preload`.', default: 'false' }),
    forceSts: optional(boolean, { meaning: 'Sends it over http too.', default: 'false' }),
    frameDeny: optional(boolean, { meaning: '`X-Frame-Options: DENY`.', default: 'false' }),
    frameOptions: optional(headerText, { meaning: 'Another value of `X-Frame-Options`.' }),
    contentTypeNosniff: optional(boolean, { meaning: '`X-Content-Type-Options: nosniff`.', default: 'false' }),
    browserXssFilter: optional(boolean, { meaning: '`X-XSS-Protection: 1; mode=block`.', default: 'false' }),
    referrerPolicy: optional(headerText, { meaning: '`Referrer-Policy`.' }),
    contentSecurityPolicy: optional(headerText, { meaning: '`Content-Security-Policy`.' }),
    contentSecurityPolicyReportOnly: optional(headerText, { meaning: '`Content-Security-Policy-Report-Only`.' }),
    permissionsPolicy: optional(headerText, { meaning: '`Permissions-Policy`.' }),
  },
});
