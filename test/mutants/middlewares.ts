import { faultsIn, type Mutant } from './mutant.ts';

const middleware = 'packages/proxy/src/middleware';
const stage = 'packages/proxy/test/middlewares';

/** Middlewares of routes, each through a whole server. */
export const middlewareMutants: readonly Mutant[] = [
  ...faultsIn(
    `${middleware}/forward-auth/forward-auth.ts`,
    [`${stage}/forward-auth.slow.test.ts`],
    [
      ['a path of two readings is sent to the auth service', '    wantsOneReading: true,\n', ''],
      ['a 3xx of the auth service passes', 'response.status > 299', 'response.status > 399'],
      ['a 1xx or 0 passes, no 4xx', 'response.status < 200 || response.status > 299', 'response.status > 499'],
      [
        'without a response the request passes',
        "if (response === undefined) return refuse('auth-unavailable', ['Retry-After', '1']);",
        'if (response === undefined) return proceed;',
      ],
      ['a 304 is taken for a response', 'if (response.status !== 304) return response;', 'return response;'],
      ['a path that begins like a handed-through one passes', 'path.startsWith(`${bare}/`)', 'path.startsWith(bare)'],
      ['sign-in pages are guarded', 'if (isHandedThrough(exchange.path, settings))', 'if (false)'],
      ['cookies of a 2xx are lost', 'if (passed !== undefined) addCookies', 'if (false) addCookies'],
    ],
  ),
  ...faultsIn(
    `${middleware}/forward-auth/auth-response.ts`,
    [`${stage}/forward-auth.slow.test.ts`],
    [
      ['the client’s own header stays beside the auth service’s', '  removeCopied(request, settings);\n', ''],
      ['X_User of the client stays', 'request.deleteInEverySpelling(name);', 'request.delete(name);'],
      ['x_id_name of the client stays', 'isCopied(name) || isCopied(foldedName(name))', 'isCopied(name)'],
      ['a relative Location leads to the wrong host', 'if (keepsLocation) return value;', 'return value;'],
      ['preserveLocationHeader has no effect', 'if (keepsLocation) return value;', ''],
      [
        'a script is redirected to the sign-in page',
        "if (request.get('x-requested-with')",
        "if (request.get('x-requested-without')",
      ],
      ['a POST is redirected to the sign-in page', "(method !== 'GET' && method !== 'HEAD') || ", ''],
      ['the 401’s cookies are lost', "'Cache-Control', 'no-store', ...cookies]", "'Cache-Control', 'no-store']"],
      ['fields that Connection names cross', 'hop.has(lower) || named.has(lower)', 'hop.has(lower)'],
      ['the body of a denial is lost', 'headers: kept, bytes: response.body', 'headers: kept'],
    ],
  ),
  ...faultsIn(
    `${middleware}/forward-auth/auth-request.ts`,
    [`${stage}/forward-auth.slow.test.ts`],
    [
      [
        'X_Forwarded_Uri of the client reaches the auth service',
        " || folded === 'x-forwarded-method' || folded === 'x-forwarded-uri'",
        '',
      ],
      ['a condition of the client reaches the auth service', "  'if-none-match',\n", ''],
      ['a length without a body reaches the auth service', "  'content-length',\n", ''],
      ['every header reaches the auth service', 'settings.sent !== undefined && !settings.sent.has(folded)', 'false'],
      ['preserveRequestMethod has no effect', "settings.keepsMethod ? exchange.method : 'GET'", "'GET'"],
      [
        'the auth service gets another target than the endpoint',
        "headers.add('X-Forwarded-Uri', forwardedTarget(exchange));",
        "headers.add('X-Forwarded-Uri', exchange.path + exchange.query);",
      ],
    ],
  ),
  ...faultsIn(
    `${middleware}/paths/strip-prefix.ts`,
    [`${stage}/paths-and-redirects.slow.test.ts`],
    [
      ['a client’s own X-Forwarded-Prefix stays', 'exchange.request.deleteInEverySpelling(header);', ''],
      ['the second prefix replaces the first', ' || exchange.prefixIsOurs === true) return;', ') return;'],
    ],
  ),
  ...faultsIn(
    `${middleware}/paths/change-path.ts`,
    [`${stage}/paths-and-redirects.slow.test.ts`],
    [
      [
        'a path that is none is forwarded',
        "if (!normal.ok) return refuse('rewritten-path-invalid');",
        'if (!normal.ok) return proceed;',
      ],
    ],
  ),
  ...faultsIn(
    `${middleware}/paths/replace-path.ts`,
    [`${stage}/paths-and-redirects.slow.test.ts`],
    [
      [
        'a client’s own X_Replaced_Path stays',
        'exchange.request.setInEverySpelling(header,',
        'exchange.request.set(header,',
      ],
    ],
  ),
  ...faultsIn(
    `${middleware}/redirects/redirect-regex.ts`,
    [`${stage}/paths-and-redirects.slow.test.ts`],
    [['a URL with a blank is sent', ' || !/^[\\x21-\\x7e]+$/.test(to)', '']],
  ),
  ...faultsIn(
    `${middleware}/redirects/redirect-status.ts`,
    [`${stage}/paths-and-redirects.slow.test.ts`],
    [['a POST becomes a GET', "if (method === 'GET')", "if (method !== '')"]],
  ),
  ...faultsIn(
    `${middleware}/headers/headers.ts`,
    [`${stage}/headers-and-access.slow.test.ts`],
    [
      ['X_User of the client stays', 'list.setInEverySpelling(name, value, isSendable)', 'list.set(name, value)'],
      ['a removed header stays in another spelling', 'list.deleteInEverySpelling(name)', 'list.delete(name)'],
      ['STS is sent over http', "use.forceSts === true || client.scheme === 'https'", 'true'],
      ['a 401 cannot be read by a script', 'return { ...local, headers: list.flat };', 'return local;'],
    ],
  ),
  ...faultsIn(
    `${middleware}/headers/cors.ts`,
    [`${stage}/headers-and-access.slow.test.ts`],
    [
      ['every origin may read', "return isOpen ? '*' : undefined;", 'return origin;'],
      [
        'OPTIONS without a method is a preflight',
        "(request.get('access-control-request-method') ?? '') === ''",
        'false',
      ],
      ['caches mix origins', 'if (varies) addVary(response);', ''],
      [
        'credentials are allowed to every origin',
        'allowed !== undefined && allowCredentials === true',
        'allowCredentials === true',
      ],
    ],
  ),
  ...faultsIn(
    `${middleware}/limits/source-address.ts`,
    [`${stage}/headers-and-access.slow.test.ts`],
    [
      ['the proxy’s own entry counts', 'return entries.slice(0, -1)', 'return entries'],
      ['the first address counts, which every client may write', 'findLast(', 'find('],
    ],
  ),
  ...faultsIn(
    `${middleware}/limits/in-flight.ts`,
    [`${stage}/users-errors-limits.slow.test.ts`],
    [['what has ended counts for ever', 'whenEnded(exchange, release);', '']],
  ),
  ...faultsIn(
    `${middleware}/limits/semaphores.ts`,
    [`${stage}/users-errors-limits.slow.test.ts`],
    [
      [
        'what is released counts for ever',
        'if (left > 0) this.#inFlight.set(key, left);',
        'if (left >= 0) this.#inFlight.set(key, left + 1);',
      ],
      ['nothing is counted', 'this.#inFlight.set(key, now + 1);', ''],
    ],
  ),
  ...faultsIn(
    `${middleware}/limits/local-buckets.ts`,
    [`${stage}/users-errors-limits.slow.test.ts`],
    [['a bucket is never empty', 'if (isTaken) bucket.tokens -= requests;', '']],
  ),
  ...faultsIn(
    `${middleware}/auth/listed-basic-auth.ts`,
    [`${stage}/users-errors-limits.slow.test.ts`],
    [
      ['an unknown name passes', ' || !isKnown) return', ') return'],
      ['the password reaches the service', "if (removeHeader) exchange.request.delete('authorization');", ''],
      [
        'X_User of the client stays',
        'exchange.request.setInEverySpelling(userHeader',
        'exchange.request.set(userHeader',
      ],
    ],
  ),
  ...faultsIn(
    `${middleware}/upstream/buffering.ts`,
    [`${stage}/headers-and-access.slow.test.ts`],
    [
      ['a body without a length has no limit', 'exchange.mostBodyBytes = Math.min(before, mostRequestBytes);', ''],
      [
        'a body as large as the limit is refused',
        'Number(length) > mostRequestBytes',
        'Number(length) >= mostRequestBytes',
      ],
    ],
  ),
  ...faultsIn(
    `${middleware}/upstream/circuit-breaker.ts`,
    [`${middleware}/upstream/circuit-breaker.test.ts`],
    [
      ['it never closes', "state = { kind: 'closed' };\n      return true;", 'return false;'],
      ['a 504 is no error of the network', 'status === 502 || status === 504 || ', 'status === 502 || '],
    ],
  ),
  ...faultsIn(
    `${middleware}/upstream/error-pages.ts`,
    [`${stage}/users-errors-limits.slow.test.ts`],
    [
      ['a page of 404 is shown', 'if (found >= 200 && found < 300)', 'if (found > 0)'],
      [
        'responses of the proxy keep their text',
        "isReplaced(response.status) && response.reason !== 'error-page'",
        'false',
      ],
    ],
  ),
  ...faultsIn(
    `${middleware}/calls/service-call.ts`,
    [`${stage}/forward-auth.slow.test.ts`],
    [
      ['a response of any size is taken', 'if (this.#bodyBytes > this.#options.mostBodyBytes) {', 'if (false) {'],
      ['a response may take for ever', 'this.#context.pool.sweep.add(this);', ''],
    ],
  ),
];
