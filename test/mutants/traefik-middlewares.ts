import type { Mutant } from './mutant.ts';

const middleware = 'packages/proxy/src/middleware';
const stage = 'packages/proxy/test/middlewares';
const traefik = 'packages/labels/src/traefik';

const calls = `${traefik}/middleware-calls.ts`;
const translated = [`${traefik}/translate-traefik.test.ts`, `${traefik}/middleware-calls.test.ts`];
const paths = [`${stage}/paths-and-redirects.slow.test.ts`];
const access = [`${stage}/headers-and-access.slow.test.ts`];
const limits = [`${stage}/users-errors-limits.slow.test.ts`];

/**
 * Middlewares of Traefik by their name: for each, the guard that only it has, broken. Those that several share, and more of one, are
 * in `middlewares.ts`.
 */
export const traefikMiddlewareFaults: Readonly<Record<string, readonly Mutant[]>> = {
  addPrefix: [
    {
      fault: 'the path behind the prefix is lost',
      file: `${middleware}/paths/add-prefix.ts`,
      find: "prefix.replace(/\\/+$/, '') + exchange.path",
      plant: "prefix.replace(/\\/+$/, '')",
      tests: paths,
    },
  ],
  basicAuth: [
    {
      fault: 'a wrong password passes',
      file: `${middleware}/auth/listed-basic-auth.ts`,
      find: "result === 'differs' || !isKnown",
      plant: '!isKnown',
      tests: limits,
    },
    {
      fault: 'users of a file, which is not read, are left out',
      file: calls,
      find: 'usersfile: () => ({ why: inFile }),',
      plant: 'usersfile: null,',
      tests: translated,
    },
  ],
  buffering: [
    {
      fault: 'a body with a length has no limit',
      file: `${middleware}/upstream/buffering.ts`,
      find: 'Number(length) > mostRequestBytes',
      plant: 'false',
      tests: access,
    },
  ],
  chain: [
    {
      fault: 'members of a chain are left out',
      file: `${traefik}/router-middlewares.ts`,
      find: 'resolve(member, members.label, named.owner, [...around, name]);',
      plant: '{}',
      tests: translated,
    },
    {
      fault: 'a chain that leads back to itself is left out',
      file: `${traefik}/router-middlewares.ts`,
      find: 'if (around.includes(name)) {',
      plant: 'if (around.includes(name)) return;\n    if (false) {',
      tests: translated,
    },
  ],
  circuitBreaker: [
    {
      fault: 'it closes at once',
      file: `${middleware}/upstream/circuit-breaker.ts`,
      find: 'if (state.passed > share * state.requested) return false;',
      plant: '',
      tests: [`${middleware}/upstream/circuit-breaker.test.ts`],
    },
  ],
  compress: [
    {
      fault: 'types that are excluded are compressed',
      file: `${middleware}/compression.ts`,
      find: "if (compression.excludedTypes !== undefined && matchesType(type ?? '', compression.excludedTypes)) return undefined;",
      plant: '',
      tests: access,
    },
    {
      fault: 'bodies below the least size are compressed',
      file: `${middleware}/compression.ts`,
      find: 'length === undefined || Number(length) >= least',
      plant: 'true',
      tests: [`${middleware}/compression.test.ts`],
    },
  ],
  contentType: [
    {
      fault: 'it closes its router',
      file: calls,
      find: "contenttype: { kind: 'contentType', options: { autodetect: 'autoDetect' } },",
      plant: '',
      tests: translated,
    },
  ],
  digestAuth: [
    {
      fault: 'it lets every client in',
      file: calls,
      find: 'if (known !== undefined) return unsupported(...known);',
      plant: "if (kind === 'digestauth') return { kind: 'contentType', options: [], ignored: [] };",
      tests: translated,
    },
  ],
  encodedCharacters: [
    {
      fault: '%2f is another character than %2F',
      file: `${middleware}/access/encoded-characters.ts`,
      find: "})`, 'i')",
      plant: '})`)',
      tests: access,
    },
    {
      fault: 'the path as it is compared counts, not the one that is forwarded',
      file: `${middleware}/access/encoded-characters.ts`,
      find: 'pattern?.test(forwardedPath(exchange))',
      plant: 'pattern?.test(exchange.path)',
      tests: access,
    },
  ],
  errors: [
    {
      fault: 'every status gets the page',
      file: `${middleware}/upstream/error-pages.ts`,
      find: 'use.status.some(({ from, to }) => status >= from && status <= to)',
      plant: 'true',
      tests: limits,
    },
  ],
  forwardAuth: [
    {
      fault: 'a body that the auth service would judge is not sent',
      file: calls,
      find: "forwardbody: closed('it sends the body of requests to the auth service'),",
      plant: 'forwardbody: null,',
      tests: translated,
    },
  ],
  grpcWeb: [
    {
      fault: 'its origins are no CORS',
      file: calls,
      find: "options: new Set(['allowOrigins']),",
      plant: 'options: new Set<string>(),',
      tests: translated,
    },
  ],
  headers: [
    {
      fault: 'hosts that are not allowed pass',
      file: `${middleware}/access/allowed-hosts.ts`,
      find: "(allowed.has(host) ? proceed : refuse('host-denied'))",
      plant: 'proceed',
      tests: access,
    },
    {
      fault: 'a header that frames the message closes its router',
      file: calls,
      find: "isFixedRequestHeader(name) ? 'ignored' : ",
      plant: '',
      tests: translated,
    },
  ],
  inFlightReq: [
    {
      fault: 'what is beyond the amount passes',
      file: `${middleware}/limits/in-flight.ts`,
      find: "if (release === undefined) return refuse('in-flight-limited');",
      plant: 'if (release === undefined) return proceed;',
      tests: limits,
    },
  ],
  ipAllowList: [
    {
      fault: 'an address that is not listed passes',
      file: `${middleware}/access/ip-allow-list.ts`,
      find: "(isAllowed(source(exchange) ?? '') ? proceed : denied)",
      plant: 'proceed',
      tests: access,
    },
    {
      fault: 'rejectStatus has no effect',
      file: `${middleware}/access/ip-allow-list.ts`,
      find: 'status: use.rejectStatus } }',
      plant: 'status: refused.response.status } }',
      tests: access,
    },
  ],
  ipWhiteList: [
    {
      fault: 'the name of Traefik 2 closes its router',
      file: calls,
      find: 'ipwhitelist: allowList,',
      plant: '',
      tests: translated,
    },
  ],
  passTLSClientCert: [
    {
      fault: 'a name with a quote begins another field',
      file: `${middleware}/access/pass-client-certificate.ts`,
      find: "value.replaceAll('\"', '%22').replaceAll(';', '%3B')",
      plant: 'value',
      tests: [`${middleware}/access/pass-client-certificate.test.ts`],
    },
  ],
  plugin: [
    {
      fault: 'its router is open',
      file: calls,
      find: 'if (mapping === undefined) return unsupported(`there is no middleware ${kind}`,',
      plant:
        "if (kind === 'plugin' || mapping === undefined) return { kind: 'contentType', options: [], ignored: [] };\n  if (false) return unsupported(`there is no middleware ${kind}`,",
      tests: translated,
    },
  ],
  rateLimit: [
    {
      fault: 'each worker has the whole limit',
      file: `${middleware}/limits/token-bucket.ts`,
      find: 'const share = Math.max(1, workers);',
      plant: 'const share = 1;',
      tests: [`${middleware}/limits/token-bucket.test.ts`],
    },
    {
      fault: 'no average is no request',
      file: calls,
      find: "defaults: [{ option: 'average', value: '0' }],",
      plant: '',
      tests: translated,
    },
  ],
  redirectRegex: [
    {
      fault: 'a redirect leads to itself',
      file: `${middleware}/redirects/redirect-regex.ts`,
      find: 'to === url ? proceed : ',
      plant: '',
      tests: paths,
    },
  ],
  redirectScheme: [
    {
      fault: 'a request of the right scheme is redirected again',
      file: `${middleware}/redirects/redirect-scheme.ts`,
      find: 'if (client.scheme === scheme) return proceed;',
      plant: '',
      tests: paths,
    },
    {
      fault: 'a request without a host is redirected to nowhere',
      file: `${middleware}/redirects/redirect-scheme.ts`,
      find: "if (host === '') return refuse('http-denied');",
      plant: '',
      tests: [`${middleware}/redirects/redirect-scheme.test.ts`],
    },
  ],
  replacePath: [
    {
      fault: 'the former path is not sent',
      file: `${middleware}/paths/replace-path.ts`,
      find: 'exchange.request.setInEverySpelling(header, forwardedPath(exchange));',
      plant: '',
      tests: paths,
    },
  ],
  replacePathRegex: [
    {
      fault: 'a client’s own X_Replaced_Path stays where the path does not match',
      file: `${middleware}/paths/replace-path.ts`,
      find: 'exchange.request.deleteInEverySpelling(header);',
      plant: '',
      tests: paths,
    },
    {
      fault: 'a path that grows without end is forwarded',
      file: `${middleware}/paths/replace-path.ts`,
      find: "if (to === undefined) return refuse('rewritten-path-too-long');",
      plant: 'if (to === undefined) return proceed;',
      tests: paths,
    },
  ],
  retry: [
    {
      fault: 'the number of attempts has no effect',
      file: `${middleware}/upstream/retry.ts`,
      find: 'exchange.mostTries = attempts;',
      plant: '',
      tests: [`${middleware}/upstream/retry.slow.test.ts`],
    },
  ],
  stripPrefix: [
    {
      fault: 'the prefix is not sent',
      file: `${middleware}/paths/strip-prefix.ts`,
      find: 'exchange.request.add(header, prefix);',
      plant: '',
      tests: paths,
    },
  ],
  stripPrefixRegex: [
    {
      fault: 'an expression strips in the middle',
      file: `${middleware}/paths/strip-prefix.ts`,
      find: 'matcher.start() === 0 && ',
      plant: '',
      tests: paths,
    },
  ],
};

const relays = 'packages/proxy/src/server/relay';

/** Middlewares of Traefik's TCP routers. */
export const traefikTcpMiddlewareFaults: Readonly<Record<string, readonly Mutant[]>> = {
  inFlightConn: [
    {
      fault: 'connections beyond the amount are relayed',
      file: `${relays}/relay-limits.ts`,
      find: '      releaseAll();\n      return undefined;',
      plant: '      continue;',
      tests: [`${relays}/relays.test.ts`],
    },
  ],
  ipAllowList: [
    {
      fault: 'a client that is not listed is relayed',
      file: `${relays}/relay-plan.ts`,
      find: "use.kind === 'ipAllowList' ? [use.sourceRange] : []",
      plant: "use.kind === 'ipAllowList' ? [] : []",
      tests: [`${relays}/relays.test.ts`, `${relays}/relay-plan.test.ts`],
    },
  ],
  ipWhiteList: [
    {
      fault: 'the name of Traefik 2 closes its router',
      file: `${traefik}/tcp-middlewares.ts`,
      find: "'ipwhitelist.sourcerange': { kind: 'ipAllowList', option: 'sourceRange' },",
      plant: '',
      tests: [`${traefik}/shared-names.test.ts`],
    },
    {
      fault: 'a middleware that cannot be had is left out',
      file: `${traefik}/tcp-middlewares.ts`,
      find: "if (typeof use === 'string')",
      plant: "if (typeof use === 'string') continue;\n    if (false)",
      tests: [`${traefik}/shared-names.test.ts`],
    },
  ],
};
