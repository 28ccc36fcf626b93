import { faultsIn, type Mutant } from './mutant.ts';

const proxy = 'packages/proxy/src';
const admin = `${proxy}/control/admin`;
const session = `${proxy}/control/session`;
const web = 'packages/console/web';
const throughProxy = 'packages/proxy/test/console-session.slow.test.ts';
const attacks = `${admin}/session-attacks.slow.test.ts`;

/** What keeps the console's login its operator's, and its list at rest. */
export const consoleMutants: readonly Mutant[] = [
  ...faultsIn(
    `${proxy}/http/session-cookie.ts`,
    [throughProxy],
    [
      ['a service gets the login', '.filter((pair) => !sessionCookie.test(pair))', ''],
      ['a service sets it as a cookie without a name', "pair.startsWith('=') ? pair.slice(1) : pair", 'pair'],
    ],
  ),
  ...faultsIn(
    `${proxy}/http/head-text.ts`,
    [throughProxy],
    [['a head that nothing else changes keeps the login', '  Field.realIp,\n  Field.cookie,\n', '  Field.realIp,\n']],
  ),
  ...faultsIn(
    `${proxy}/exchange/header-policy.ts`,
    [throughProxy],
    [
      ['requests keep the login', "lower === 'cookie' ? withoutSession(value) : value", 'value'],
      ['responses set the login', "if (lower === 'set-cookie' && setsSession(value)) continue;", ''],
    ],
  ),
  ...faultsIn(
    `${proxy}/exchange/client-head.ts`,
    [throughProxy],
    [
      [
        'a response that nothing else changes sets the login',
        'Field.proxyConnection, Field.trailer, Field.setCookie',
        'Field.proxyConnection, Field.trailer',
      ],
    ],
  ),
  ...faultsIn(
    `${proxy}/exchange/client-response.ts`,
    ['packages/proxy/test/middlewares/headers-and-access.slow.test.ts'],
    [['labels set the login', 'isSessionField(name, value) ? undefined : value', 'value']],
  ),
  ...faultsIn(
    `${proxy}/exchange/run-middleware.ts`,
    ['packages/proxy/test/middlewares/forward-auth.slow.test.ts'],
    [['an auth service sets the login', 'return withoutSessionCookie(changed);', 'return changed;']],
  ),
  ...faultsIn(
    `${session}/page-origin.ts`,
    [attacks],
    [
      [
        'a page of another port changes what it likes',
        'own === originOf(origin)',
        'URL.parse(own)?.hostname === URL.parse(origin)?.hostname',
      ],
      [
        'a page that the browser marks as foreign is not',
        "site === 'same-origin' || site === 'none' ? undefined",
        "site !== '' ? undefined",
      ],
    ],
  ),
  ...faultsIn(
    `${admin}/admin-session.ts`,
    [attacks, `${admin}/session-routes.test.ts`],
    [
      ['a call without an origin changes', ' && request.headers.origin !== undefined', ''],
      ['a link changes', " && request.method !== 'GET'", ''],
      ['pages of other ports have the session', ' || isForeign(request)', ''],
    ],
  ),
  ...faultsIn(
    `${admin}/session-routes.ts`,
    [`${admin}/session-routes.test.ts`],
    [['a page elsewhere logs its visitor in', 'if (isForeign(request))', 'if (false)']],
  ),
  ...faultsIn(
    `${session}/login.ts`,
    [attacks],
    [
      ['guesses are not limited', 'if (retryAfterMs > 0)', 'if (false)'],
      ['all addresses share one limit', 'parsed.toString()', "''"],
    ],
  ),
  ...faultsIn(
    `${session}/sessions.ts`,
    [`${session}/sessions.test.ts`],
    [
      [
        'a session goes on at other replicas after its logout',
        'return this.#revoked.has(hash) ? undefined : endsAtMs;',
        'return endsAtMs;',
      ],
      [
        'a logout is not written to the registry',
        'key: layout.revokedSessions + hash, value',
        'key: `${layout.revokedSessions}-${hash}`, value',
      ],
    ],
  ),
  ...faultsIn(
    `${session}/session-token.ts`,
    [attacks],
    [
      ['a session has no end', 'endsAtMs > nowMs && ', ''],
      ['a session lasts as long as it says', ' && endsAtMs <= nowMs + sessionMs', ''],
      [
        'any signature will do',
        'if (!timingSafeEqual(Buffer.from(signature), Buffer.from(signatureOf(key, signed)))) return undefined;',
        '',
      ],
      ['every token has the same key', "hkdfSync('sha256', adminToken,", "hkdfSync('sha256', '',"],
    ],
  ),
  ...faultsIn(
    `${admin}/event-stream.ts`,
    [attacks],
    [
      [
        'a stream outlasts its session',
        'draining() || (session !== undefined && !(await session.isValid()))',
        'draining()',
      ],
    ],
  ),
  ...faultsIn(
    `${admin}/event-routes.ts`,
    [`${admin}/event-routes.slow.test.ts`],
    [['a reader without a session gets figures', 'may ? all : open', 'all']],
  ),
  ...faultsIn(
    `${admin}/stream-places.ts`,
    [`${admin}/stream-attacks.slow.test.ts`],
    [['streams are without number', 'this.#places.size >= this.#most', 'false']],
  ),
  ...faultsIn(
    `${admin}/http.ts`,
    [`${admin}/session-routes.test.ts`],
    [['a session changes as it reads', "what === 'change' ? mayChangeBySession : hasSession", 'hasSession']],
  ),
  ...faultsIn(
    `${admin}/console-routes.ts`,
    [`${admin}/console-routes.test.ts`],
    [
      ['pages have no policy', "response.setHeader('Content-Security-Policy', policy);", ''],
      ['scripts of any origin run', "script-src 'self'", 'script-src *'],
      ['inline scripts run', "script-src 'self'", "script-src 'self' 'unsafe-inline'"],
      ['other pages frame the console', "frame-ancestors 'none'", 'frame-ancestors *'],
    ],
  ),
  ...faultsIn(
    `${web}/line-slots.ts`,
    [`${web}/line-slots.test.ts`],
    [
      ['a line that stays is made again', 'this.#slots.get(key) ?? ', ''],
      ['the focus goes to another service', ' && key !== focused', ''],
      ['lines are made without end', 'free.pop() ?? ', ''],
    ],
  ),
  ...faultsIn(
    `${proxy}/control/admin/changes.ts`,
    [`${proxy}/control/admin/changes.slow.test.ts`],
    [
      ['a check leaves conflicts out', ', ...(table.problems().get(key) ?? [])]', ']'],
      [
        'a check takes the live table',
        'const table = this.#options.server.table().with(new Map([[key, document]]));',
        'const table = this.#options.server.table().with(new Map());',
      ],
      [
        'a check does not name whom it would replace',
        'warnings,\n      };\n    });',
        'warnings: [],\n      };\n    });',
      ],
    ],
  ),
  ...faultsIn(
    `${web}/manual-draft.ts`,
    [`${web}/manual-draft.test.ts`],
    [
      ['a draft outlives the logout', "field.value = '';", ''],
      ['an incomplete form is lost as JSON', 'isEmpty ? example', 'fromForm(fields).ok === false ? example'],
    ],
  ),
  ...faultsIn(
    `${web}/certificate-end.ts`,
    [`${web}/certificate-end.test.ts`],
    [['a certificate that ends soon differs by its colour alone', '`${text}, soon over`', 'text']],
  ),
  ...faultsIn(
    `${web}/change-outcome.ts`,
    [`${web}/change-outcome.test.ts`],
    [
      ['a change that is late looks as if it were done', 'waitingFor.length > 0', 'false'],
      ['a change with problems looks as if it had none', 'problems.length + warnings.length', 'warnings.length'],
      ['a change with warnings looks as if it had none', 'problems.length + warnings.length', 'problems.length'],
      ['a change that needs a login does not lead there', 'status === 401', 'false'],
    ],
  ),
  ...faultsIn(
    `${proxy}/control/serving/replica-report.ts`,
    [`${proxy}/control/serving/replica-report.test.ts`],
    [['replicas beside an empty registry are not there', "registryId === '' && !isOpen()", "registryId === ''"]],
  ),
  ...faultsIn(
    'packages/cli/src/commands/operator-command.ts',
    ['packages/cli/src/commands/operator.test.ts', 'packages/cli/src/commands/refused-calls.test.ts'],
    [
      ['JSON of a refused command has no remedy', 'remedy === undefined ? body : { ...body, remedy }', 'body'],
      ['a change that is late is not named', 'if (waitingFor.length === 0) return undefined;', 'return undefined;'],
    ],
  ),
  ...faultsIn(
    `${web}/row-order.ts`,
    [`${web}/row-order.test.ts`],
    [
      ['rows that are gone stay', 'this.#sorted.filter((row) => now.has(row))', 'this.#sorted'],
      ['another column keeps the order', 'this.#sorting === sorting ? this.#sorted : []', 'this.#sorted'],
      ['the last rows are lost', 'for (; at < kept.length; at += 1) merged.push(kept[at] as ServiceRow);', ''],
    ],
  ),
  ...faultsIn(
    `${web}/service-rows.ts`,
    [`${web}/service-rows.test.ts`],
    [
      [
        'endpoints that get no request take requests',
        'if (routes.length === 0)\n    return present',
        'if (false)\n    return present',
      ],
      ['endpoints that are gone count', "endpoints.filter(({ state }) => state !== 'gone')", 'endpoints'],
    ],
  ),
];
