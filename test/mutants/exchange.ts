import { faultsIn, type Mutant } from './mutant.ts';

const exchange = 'packages/proxy/src/exchange';
const views = 'packages/proxy/test/three-views.slow.test.ts';

/** Header policy, deciding, retrying, tunnels. */
export const exchangeMutants: readonly Mutant[] = [
  ...faultsIn(
    `${exchange}/header-policy.ts`,
    [`${exchange}/header-policy.test.ts`],
    [
      [
        'Connection may remove Via',
        "'content-length', 'trailer', 'via', 'expect'",
        "'content-length', 'trailer', 'expect'",
      ],
      ['X_Real_IP passes', "  'x-real-ip',\n", ''],
      ['X_Forwarded_Prefix passes', "folded.startsWith('x-forwarded-') || ", ''],
      ['an ill-formed X-Request-Id is kept', 'if (isRequestId(value)) requestId', 'requestId'],
      ['hops are not counted', 'String(hop.hops + 1)', "'1'"],
      ['the first of two hop counts is taken', 'hops = Math.max(hops, Number(value))', 'hops ||= Number(value)'],
      ['the last of two X-Forwarded-Proto of a trusted hop wins', 'proto ??= value', 'proto = value'],
      ['the last of two X-Request-Id of a trusted hop wins', 'requestId ??= value', 'requestId = value'],
      ['an untrusted client sets X-Forwarded-Proto', "else if (trusted && value !== '') {", "else if (value !== '') {"],
      [
        'an empty X-Forwarded-Host of a trusted hop is believed',
        "else if (trusted && value !== '') {",
        'else if (trusted) {',
      ],
      ['Forwarded of an untrusted client passes', 'if (!trusted) continue;', ''],
      ['Connection may remove Host', "new Set(['host', 'content-length'", "new Set(['content-length'"],
    ],
  ),
  ...faultsIn(
    `${exchange}/silence-limits.ts`,
    [`${exchange}/silence-limits.test.ts`],
    [
      ['a stream of events is cut like a page', '|| !eventStream.test(', '|| eventStream.test('],
      ["a route's own timeout does not hold for events", 'destination.timeoutServerMs !== undefined || ', ''],
      ['a shorter timeout of tunnels cuts events', 'Math.max(beforeMs, ', 'Math.max(0, '],
    ],
  ),
  ...faultsIn(
    `${exchange}/forwarding.ts`,
    [`${exchange}/forwarding.test.ts`],
    [['a request waits an hour for a host that is gone', 'const hasWaited = silentMs >', 'const hasWaited = 0 >']],
  ),
  ...faultsIn(
    'packages/proxy/src/transport/endpoint-connection.ts',
    [`${exchange}/forwarding.test.ts`],
    [
      [
        'an upload waits an hour for a host that is gone',
        'if (this.connected && !this.#reader.inBody) this.#expectHead();',
        '',
      ],
      [
        'an upload waits an hour for a host that is gone behind its 100',
        'this.connected && !this.#reader.inBody',
        'this.connected && !this.responding',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/transport/open-connection.ts',
    ['packages/proxy/src/transport/open-connection.test.ts'],
    [['a quiet connection to a host without power stays', '  socket.setKeepAlive(true, ...quietProbes);\n', '']],
  ),
  ...faultsIn(
    'packages/proxy/src/transport/http2/http2-channel.ts',
    [`${exchange}/silence-limits.test.ts`],
    [['a stream of events of HTTP/2 is cut like a page', '    else if (!this.#paused) this.#expectBytes();', '']],
  ),
  ...faultsIn(
    'packages/proxy/src/transport/connection-pool.ts',
    ['packages/proxy/test/open-streams.slow.test.ts'],
    [['an endpoint has 1,024 open streams at most', 'perEndpoint: 8_192', 'perEndpoint: 1_024']],
  ),
  ...faultsIn(
    'packages/labels/src/traefik/tcp-routers.ts',
    ['packages/labels/src/traefik/file-servers.test.ts'],
    [['a quiet connection of a TCP router of Traefik ends after an hour', '    ...quietConnections,\n', '']],
  ),
  ...faultsIn(
    'packages/labels/src/traefik/http-routers.ts',
    ['packages/labels/src/traefik/translate-traefik.test.ts'],
    [
      ['a router of Traefik waits 20 s for a response', '      timeoutServerMs,\n', ''],
      [
        'a gRPC call by a router of Traefik may be silent for a minute',
        'target.fields.protocol === undefined ?',
        'true ?',
      ],
    ],
  ),
  ...faultsIn(
    'packages/proxy/src/http/hop-by-hop.ts',
    ['packages/proxy/src/http/hop-by-hop.test.ts'],
    [['Proxy-Authenticate crosses', "  'proxy-authenticate',\n", '']],
  ),
  ...faultsIn(
    `${exchange}/upstream-head.ts`,
    [`${exchange}/decide.test.ts`],
    [
      ['the short cut says 1.1 in Via for HTTP/1.0', 'return isHttp10 ? ', 'return false ? '],
      ['the short cut keeps the Host of the request before', 'this.#host === sentHost', 'this.#host !== undefined'],
      ['the short cut omits Forwarded', 'if (this.#writesForwarded)', 'if (false)'],
      ['the chunked framing of a body is lost', "${traced}${view.unsized ? chunkedLine : ''}", '${traced}'],
      ['a step may change how a body is framed', 'restoreFraming(headers, contentLength);', ''],
    ],
  ),
  ...faultsIn(
    `${exchange}/decide.ts`,
    [`${exchange}/decide.test.ts`],
    [
      [
        'a body as large as the limit is refused',
        'view.contentLength > context.mostBodyBytes',
        'view.contentLength >= context.mostBodyBytes',
      ],
      [
        'a host is taken for the one before it',
        "if (sentHost !== cache.sentHost || sentHost === '') {",
        "if (cache.sentHost === '') {",
      ],
      [
        'a missing Host passes in HTTP/1.1',
        "const isMissing = sentHost === '' && view.protocol === 'HTTP/1.0'",
        "const isMissing = sentHost === ''",
      ],
      ['routes are looked up by the path as sent', '    path = read.path;\n', ''],
      ['a request that loops is forwarded', 'if (hops >= mostHops)', 'if (hops > mostHops)'],
      ['a blocked route is served', 'if (early !== undefined) return respond(early);', ''],
      [
        'the short cut is taken for routes with steps',
        'sent !== undefined && steps.length === 0 && ',
        'sent !== undefined && ',
      ],
      [
        'the authority of an absolute-form target is not sent as Host',
        "if (!view.hostIsField) request.set('Host', sentHost);",
        '',
      ],
      [
        'the client behind a trusted hop is not recorded',
        'if (client !== undefined) record.clientAddress = client.address;',
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${exchange}/attempt-outcome.ts`,
    [`${exchange}/forwarding.test.ts`],
    [
      ['a POST is sent twice', "'PUT', 'DELETE', 'QUERY']);", "'PUT', 'DELETE', 'QUERY', 'POST']);"],
      ['a PUT is not sent again', "'TRACE', 'PUT', 'DELETE', 'QUERY']);", "'TRACE', 'DELETE', 'QUERY']);"],
    ],
  ),
  ...faultsIn(
    `${exchange}/forwarding.ts`,
    ['packages/proxy/test/unsent-requests.slow.test.ts'],
    [['a long body that was not sent is lost', 'isFirst && connection.isUnsent === true', 'false']],
  ),
  ...faultsIn(
    `${exchange}/held-body.ts`,
    [`${exchange}/held-body.test.ts`],
    [
      [
        'a body that is sent again is that of another request',
        'if (this.#spare !== undefined) giveSpare(this.#spare);',
        '',
      ],
      ['more is held than is promised', '> mostHeldBytes', '> mostHeldBytes + 1'],
      ['pieces of a body are sent again in another order', " && this.#text === ''", ''],
    ],
  ),
  ...faultsIn(
    `${exchange}/forwarding.ts`,
    [`${exchange}/forwarding.test.ts`],
    [
      ['a fourth endpoint is tried', 'const usualTries = 3;', 'const usualTries = 4;'],
      ['the budget is not consulted', 'return this.#context.budget.take();', 'return true;'],
      [
        'a request is sent again although a byte of a response has come',
        'return !connection.responding && !this.#sentMoreThanBuffered',
        'return !this.#sentMoreThanBuffered',
      ],
      ['the endpoint that failed is tried again', '    this.#tried.add(endpoint.id);\n', ''],
      [
        'a retry is counted that was not made',
        '    const pick = this.#context.pick(',
        '    if (before !== undefined) this.retries++;\n    const pick = this.#context.pick(',
      ],
      [
        'a closed idle connection counts against its endpoint',
        "this.#finished(stale ? 'abandoned' : outcomeOf(fault));",
        'this.#finished(outcomeOf(fault));',
      ],
      [
        'an idle connection is taken again behind one that was closed',
        "if (stale || fault.kind === 'unprocessed') this.#reuse = 'fresh';",
        'if (stale) this.#waiting = false;',
      ],
    ],
  ),
  ...faultsIn(
    `${exchange}/forwarding.ts`,
    [views],
    [
      [
        'a body that is not fully buffered is sent again without its rest',
        '    this.#sentMoreThanBuffered = true;\n',
        '',
      ],
      [
        'trailers are lost in a retry',
        'connection.endBody(this.#trailers);\n    else',
        "connection.endBody('');\n    else",
      ],
      [
        'the upstream time counts failed attempts',
        '    this.retries++;\n    this.attemptAtMs = nowMs;\n',
        '    this.retries++;\n',
      ],
    ],
  ),
  ...faultsIn(
    `${exchange}/retry-budget.ts`,
    [`${exchange}/retry-budget.test.ts`],
    [
      [
        'the budget grows without a cap',
        'Math.min(this.#most, this.#left + this.#perRequest)',
        'this.#left + this.#perRequest',
      ],
      [
        'the budget is half a retry too generous',
        'if (this.#left < 1) return false;',
        'if (this.#left < 0.5) return false;',
      ],
      ['a retry costs nothing', '    this.#left -= 1;\n', ''],
      ['half of all requests may be retried', 'perRequest = 0.2', 'perRequest = 0.5'],
    ],
  ),
  ...faultsIn(
    `${exchange}/tunnel.ts`,
    [`${exchange}/tunnel.test.ts`],
    [
      [
        'what a client sent before it left is lost',
        'else if (this.#clientEnded) this.#start?.connection.closeTunnel();',
        '',
      ],
      [
        'an endpoint that closed in order looks like a reset',
        'client.close(!this.#endpointEnded)',
        'client.close(true)',
      ],
      ['a reset looks like an orderly end', 'client.close(!this.#endpointEnded)', 'client.close(false)'],
      [
        'a slow endpoint does not slow its client',
        'if (!this.#start.connection.writeTunnel(bytes)) this.#start.client.pause();',
        'this.#start.connection.writeTunnel(bytes);',
      ],
      ['a slow client does not slow its endpoint', '    if (client.clogged) connection.pause();\n', ''],
      ['bytes behind the 101 are lost', '    if (to > from) this.onTunnelBytes(bytes, from, to);\n', ''],
      ['the deadline stays when a tunnel is over', '    this.#start?.sweep.remove(this);\n', ''],
    ],
  ),
  ...faultsIn(
    `${exchange}/access-record.ts`,
    [views],
    [
      [
        'the record of a tunnel leaves its bytes out',
        'body.receivedBytes + (tunnel?.receivedBytes ?? 0)',
        'body.receivedBytes',
      ],
    ],
  ),
];
