import { faultsIn, type Mutant } from './mutant.ts';

const server = 'packages/proxy/src/server';
const admin = 'packages/proxy/src/control/admin';

/** What clients, service owners and readers of the admin port could do to others. */
export const attackMutants: readonly Mutant[] = [
  ...faultsIn(
    `${server}/tls/client-context.ts`,
    ['packages/proxy/test/client-certificates.slow.test.ts'],
    [
      [
        'every authority that Node knows opens a route',
        'clientAuthorities === undefined ? {} : { ca: clientAuthorities }',
        '{}',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/middleware/access-rules.ts',
    ['packages/proxy/test/client-certificates.slow.test.ts', 'packages/proxy/src/middleware/access-rules.test.ts'],
    [
      [
        'a connection of another host proves who its client is',
        "if (client.misdirected === true) return refuse('connection-misdirected');",
        '',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/endpoints/own-ports.ts',
    ['packages/proxy/src/endpoints/own-ports.test.ts'],
    [
      ['an unspecified address leads to the admin port', " || range === 'unspecified'", ''],
      ['an address of an interface leads to the admin port', ' || this.#current().has(plain.toString())', ''],
    ],
  ),
  ...faultsIn(
    `${admin}/redact-definition.ts`,
    [`${admin}/redact-definition.test.ts`],
    [['the value of a required header is shown', "isCredentialName(name) ? '' : value", 'value']],
  ),
  ...faultsIn(
    'packages/labels/src/docker-flow/parameter-problems.ts',
    ['packages/labels/src/docker-flow/hidden-values.test.ts'],
    [
      [
        'a header label that cannot be read is shown with its credential',
        'entry.holdsCredential ?? looksLikeCredential',
        'looksLikeCredential',
      ],
      ['what was expected instead quotes the credential', 'withoutQuotes(parsed.expected)}', 'parsed.expected}'],
    ],
  ),
  ...faultsIn(
    'packages/registry/src/definition/check-definition.ts',
    ['packages/registry/src/definition/hidden-values.test.ts'],
    [
      [
        'credentials of a destination are shown where their shape is wrong',
        'path.some((step) => hiddenInside.test(step))',
        "hiddenInside.test(path[0] ?? '')",
      ],
    ],
  ),
  ...faultsIn(
    `${admin}/view-route.ts`,
    ['packages/proxy/test/readable-secrets.slow.test.ts'],
    [
      ['the rule of a route is shown with its credentials', 'redactRule(destination.rule)', 'destination.rule'],
      [
        'the value of a required header is shown with the route',
        'redactRequiredHeaders(serviceHeader)',
        'serviceHeader',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/exchange/header-policy.ts',
    ['packages/proxy/test/request-kinds/upgraded-spellings.test.ts'],
    [
      [
        'an upgrade brings the service a header in another spelling than the proxy’s',
        "return folded.startsWith('x-forwarded-') || oneSpelling.has(folded);",
        "return lower.startsWith('x-forwarded-') || oneSpelling.has(lower);",
      ],
    ],
  ),
  ...faultsIn(
    'packages/labels/src/definition/check-bounds.ts',
    ['packages/labels/src/definition/check-bounds.test.ts'],
    [
      ['rules cost nothing', "    sums.patterns += rule.split('(').length - 1;", ''],
      ['expressions of middlewares cost nothing', 'sums.expressionCost += costOf(expression);', ';'],
    ],
  ),
  ...faultsIn(
    'packages/swarm-listener/src/swarm/observer.ts',
    ['packages/swarm-listener/test/failing-surroundings.slow.test.ts'],
    [
      [
        'an engine that ends its events at once is listed again and again',
        'if (wasFollowing && performance.now() - followedAtMs >= longestPauseMs) attempt = 0;',
        'if (wasFollowing) attempt = 0;',
      ],
    ],
  ),
  ...faultsIn(
    'packages/labels/src/traefik/translate-traefik.ts',
    ['packages/registry/src/definition/too-large.test.ts'],
    [['a service of Traefik beyond the bounds is served', 'wrong.length === 0 ? destinations : []', 'destinations']],
  ),
  ...faultsIn(
    'packages/runtime/src/rest/unread-body.ts',
    [`${admin}/bounded-calls.slow.test.ts`],
    [['a body that no call reads is read at full speed', 'socket.bytesRead <= mostBytes && ', '']],
  ),
  ...faultsIn(
    'packages/swarm-listener/src/rest/listener-rest.ts',
    ['packages/swarm-listener/src/rest/bounded-rest.slow.test.ts'],
    [
      ['a report of a task of any size is read', 'readJson(mostReportBytes)', 'readJson(Number.MAX_SAFE_INTEGER)'],
      ['a body that the listener does not read is read at full speed', ', endUnreadBodies());', ');'],
      ['silent connections of the listener stay', '  boundConnections(server, mostConnections);\n', ''],
      ['a packet of calls is served at once by the listener', 'boundPipelining(app)', 'app'],
    ],
  ),
  ...faultsIn(
    'packages/runtime/src/rest/bounded-connections.ts',
    [`${admin}/admin-connections.slow.test.ts`],
    [
      ['silent connections of the admin port stay', 'if (open >= mostOpen) {', 'if (false) {'],
      ['silent connections keep /healthz out', 'if (longest !== undefined) {', 'if (false) {'],
      [
        'a call under way is closed for a silent connection',
        '    own.delete(socket);\n    response.once',
        '    response.once',
      ],
    ],
  ),
  ...faultsIn(
    'packages/runtime/src/rest/bounded-calls.ts',
    [`${admin}/bounded-calls.slow.test.ts`],
    [
      [
        'a call waits for ever for what never responds',
        "if (response.getHeader('Content-Type') !== 'text/event-stream') response.destroy();",
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${server}/relay/client-hello.ts`,
    [`${server}/relay/client-hello.test.ts`],
    [
      ['a ClientHello of any size is waited for', 'if (length > mostHelloBytes)', 'if (false)'],
      ['a ClientHello may come in any number of records', 'this.#records > mostHelloRecords', 'false'],
    ],
  ),
  ...faultsIn(
    `${server}/http1/unread-bytes.ts`,
    [`${server}/http1/unread-bytes.test.ts`],
    [
      [
        'a head that comes byte by byte is copied for each byte',
        'this.#room = Buffer.allocUnsafeSlow(2 * length);',
        'this.#room = Buffer.allocUnsafeSlow(length);',
      ],
    ],
  ),
  ...faultsIn(
    `${server}/http1/unread-bytes.ts`,
    ['packages/proxy/test/lent-bytes.test.ts'],
    [
      [
        'bytes that wait are those of another client',
        'this.#copyOf(this.bytes.subarray(this.at))',
        'this.bytes.subarray(this.at)',
      ],
    ],
  ),
  ...faultsIn(
    `${server}/http1/unread-bytes.ts`,
    [`${server}/http1/unread-bytes.test.ts`],
    [
      ['a buffer is used again while bytes wait in it', ' || this.bytes !== undefined', ''],
      ['a buffer is used again while a tunnel begins', 'this.#spare = undefined;\n    this.#isLent', 'this.#isLent'],
    ],
  ),
  ...faultsIn(
    `${server}/http1/connection.ts`,
    [`${server}/http1/connection-share.test.ts`],
    [
      [
        'all pipelined requests whose responses came in a turn begin in it',
        '!this.#readingHeads) this.#reading.waitForTurn()',
        '!this.#readingHeads) this.#readHeads()',
      ],
      [
        'the end of a client that has pipelined is not found',
        'if (this.#body.done && this.#unread.bytes === undefined) this.#reading.resume();',
        '',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/transport/lent-writer.ts',
    ['packages/proxy/test/lent-bytes.test.ts'],
    [
      [
        'a body or tunnel that an endpoint has yet to take is that of another client',
        'const taken = writeDirectly(',
        "if (before === '') return this.#socket.write(bytes.subarray(from, to));\n    const taken = writeDirectly(",
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/transport/lent-writer.ts',
    ['packages/proxy/src/transport/lent-writer.test.ts'],
    [
      ['a buffer is used again before its socket has taken it', '!isTaken || ', ''],
      ['an idle connection keeps buffers', 'this.#unreported === 0 || ', ''],
      [
        'a buffer is used again as soon as one write from it is taken',
        'this.#unreported === 0',
        'this.#unreported <= 1',
      ],
      ['the end of a large chunk is cut off', "after.length <= mostFramingBytes ? after : ''", "''"],
      ['the rest of a head that the system took in part is lost', 'before.slice(taken), bytes', "'', bytes"],
      ['what the system took of a piece is sent twice', 'bytes, from + behind, to', 'bytes, from, to'],
      ['all of what stands behind a piece is sent again', 'after.slice(behind - length)', 'after'],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/transport/spare-buffers.ts',
    ['packages/proxy/test/uploads-without-buffers.slow.test.ts'],
    [['each read of a body makes a buffer', 'spare.length < mostSpare', 'false']],
  ),
  ...faultsIn(
    `${server}/read-in-place.ts`,
    ['packages/proxy/test/lent-bytes.test.ts'],
    [
      [
        'frames that wait are those of another client',
        'return isShared(bytes) ? Buffer.from(rest) : rest;',
        'return rest;',
      ],
    ],
  ),
  ...faultsIn(
    `${server}/http2/http2-connection.ts`,
    [`${server}/http2/flooded-connection.test.ts`],
    [
      [
        'requests wait in numbers for turns of their connection’s own',
        '(!this.#isHeavy || this.#unserved < mostSettledInOwnTurn) && !this.#isUnread',
        '!this.#isUnread',
      ],
      [
        'a client that takes no responses is read on',
        "return this.#stage !== 'closing' && this.#batches.length > 0 && this.#session.pendingOutputBytes >= mostUnreadBytes;",
        'return false;',
      ],
      [
        'a connection that ends in a read that fills the output is not read',
        "return this.#stage !== 'closing' && ",
        'return ',
      ],
      [
        'a client whose responses were taken is never read again',
        '    this.#unread = undefined;\n    this.#goOnLater(unread, 0);',
        '',
      ],
      [
        'a connection that ended for a flood is closed at once',
        "this.#isHeld = this.#stage !== 'closing' && errorCode === ErrorCode.enhanceYourCalm;",
        '',
      ],
      ['what follows the end of a drain defers the end', "this.#stage !== 'closing' && errorCode", 'errorCode'],
      [
        'requests of a client that takes nothing wait without a deadline',
        'isSettled && this.#isUnread',
        'this.#isUnread',
      ],
      [
        'a connection that ended for a flood is read',
        'if (!this.#isHeld) this.#socket.resume();',
        'this.#socket.resume();',
      ],
      [
        'a connection whose client takes nothing stays for ever',
        'if (this.#batches.length > 0) this.#awaitTaking();\n        else ',
        '',
      ],
      ['a connection whose client takes what is written late is ended', '    this.#isWatched = false;\n', ''],
      [
        'a connection with a long request counts as idle',
        'else if (this.#session.openStreams > 0) this.#awaitRequest();\n        ',
        '',
      ],
      ['draining waits for connections that ended for a flood', "if (this.#stage === 'closing') this.#release();", ''],
    ],
  ),
  ...faultsIn(
    `${server}/http2/prepared-response.ts`,
    [`${server}/http2/prepared-response.test.ts`],
    [
      [
        'a response of one request is that of another',
        'isShared ? shared.get(response.reason) : undefined',
        'shared.get(response.reason)',
      ],
      ['a response has the date of the first one', ' && known.date === date', ''],
      ['responses are made for each request', 'if (isShared) shared.set(response.reason, made);', ''],
    ],
  ),
  ...faultsIn(
    `${server}/http2/stream-body.ts`,
    [`${server}/http2/stream-body.test.ts`],
    [
      [
        'a body that waits is that of another client',
        '{ bytes: Buffer.from(bytes.subarray(from, to)), from: 0, to: to - from }',
        '{ bytes, from, to }',
      ],
    ],
  ),
  ...faultsIn(
    `${server}/read-in-place.ts`,
    [`${server}/read-in-place.test.ts`],
    [
      ['any number of sockets have buffers of their own', 'owners < mostOwn', 'true'],
      ['a closed socket keeps its place', 'owners -= 1;\n}', '}'],
      ['what was read before comes behind what is read in place', ' || socket.readableLength > 0', ''],
    ],
  ),
  ...faultsIn(
    `${server}/taken-output.ts`,
    [`${server}/taken-output.test.ts`],
    [
      [
        'a client that reads slowly loses the end of its response',
        '? this.#wasEmpty : this.totalBytes <= this.#before',
        '? true : true',
      ],
    ],
  ),
  ...faultsIn(
    'packages/runtime/src/logger.ts',
    ['packages/runtime/src/logger.test.ts'],
    [['a header rewrites a line of the log in a terminal', 'line.replace(unescapedControls, escaped)', 'line']],
  ),
  ...faultsIn(
    'packages/runtime/src/repeating-logger.ts',
    ['packages/runtime/src/repeating-logger.test.ts'],
    [['lines of all services stand for each other', 'message, ...reported, code', 'message, code']],
  ),
];
