import { faultsIn, type Mutant } from './mutant.ts';

const folder = 'packages/proxy/src/control/consul-ui';
const session = 'packages/proxy/src/control/session';

/** Who passes to Consul's UI, and what. */
export const consulUiMutants: readonly Mutant[] = [
  ...faultsIn(
    `${session}/page-origin.ts`,
    [`${session}/page-origin.test.ts`],
    [
      [
        'a page of another origin calls',
        "  if (origin !== undefined && !isOwnOrigin(origin, call)) return 'its Origin is not that of this port';\n",
        '',
      ],
      [
        'an image tag elsewhere calls',
        "site === 'same-origin' || site === 'none' ? undefined",
        "site !== '' ? undefined",
      ],
      ['a frame elsewhere shows the UI', "(mode === 'navigate' && dest === 'document')", "mode === 'navigate'"],
      [
        'a link elsewhere opens a value',
        "path === '/' || path === '/ui' || path.startsWith('/ui/')",
        "path.startsWith('/')",
      ],
      ['a page without TLS calls one with it', "secure ? ['https'] : ['http', 'https']", "['http', 'https']"],
    ],
  ),
  ...faultsIn(
    `${session}/login.ts`,
    [`${session}/login.test.ts`],
    [
      [
        'failed tries are not limited',
        "    if (retryAfterMs > 0) return { kind: 'tries-limited', retryAfterMs };\n",
        '',
      ],
      ['an IPv6 client has as many tries as addresses', "parsed.parts.slice(0, 4).join(':')", 'parsed.toString()'],
      [
        'calls without credentials count',
        "authorization === undefined || authorization === ''",
        "authorization === ''",
      ],
    ],
  ),
  ...faultsIn(
    `${folder}/forwarded-call.ts`,
    [`${folder}/forwarded-call.test.ts`],
    [
      ['an empty token counts as one', "token?.trim() === '' ? undefined : token?.trim()", 'token?.trim()'],
      ['the UI’s token writes a Swarm’s documents', '${instance}/services/manual/`);', '${instance}/services/`);'],
      ['the UI’s token is shown', "const readWithUiToken = ['catalog',", "const readWithUiToken = ['acl', 'catalog',"],
      ['a dot segment passes', "segment === '.' || segment === '..'", "segment === '.'"],
      ['an escaped slash passes', "  if (/%2f/i.test(path)) return no('the path holds an escaped slash');\n", ''],
      ['an escaped name hides a token in the query', '.replace(/%([0-9A-Fa-f]{2})/g,', '.replace(/%(zz)/g,'],
      ['a chunked body passes', "fields['transfer-encoding'] !== undefined", 'false'],
      ['Authorization reaches Consul', "  'accept',\n", "  'accept',\n  'authorization',\n"],
      ['Cookie reaches Consul', "  'accept-encoding',\n", "  'accept-encoding',\n  'cookie',\n"],
    ],
  ),
  ...faultsIn(
    `${folder}/consul-ui.ts`,
    [`${folder}/consul-ui.slow.test.ts`, `${folder}/consul-ui-limits.slow.test.ts`],
    [
      ['wrong credentials pass', "if (entry.kind !== 'allowed')", "if (entry.kind === 'credentials-needed')"],
      ['calls in flight are not limited', 'if (inFlight >= mostInFlight)', 'if (inFlight < 0)'],
      [
        'a path with a token is logged',
        "path.startsWith('/v1/kv/') ? path : path",
        "path.startsWith('/v1/') ? path : path",
      ],
      ['its port is none of the proxy’s own', 'ownPorts.add(server.port)', 'ownPorts.add(0)'],
      [
        'it speaks no TLS',
        'settings.consulUiInsecure ? undefined :',
        'settings.consulUiToken !== undefined ? undefined :',
      ],
      [
        'what a client sent reaches Consul',
        'response.writeContinue();\n',
        'response.writeContinue();\n      decision.headers.cookie = request.headers.cookie;\n',
      ],
    ],
  ),
  ...faultsIn(
    `${folder}/consul-proxy.ts`,
    [`${folder}/consul-ui.slow.test.ts`, `${folder}/consul-ui-limits.slow.test.ts`],
    [
      ['a Consul that never connects holds the call', '        failLate(outgoing, connectMs, isSecure);\n', ''],
      ['a silent Consul holds the call', 'outgoing.destroy(new ConsulTimeout(`no byte within ${silenceMs} ms`));', ''],
      [
        'a connection is kept against the client’s wish',
        "if (!response.shouldKeepAlive) incoming.headers.connection = 'close';",
        '',
      ],
    ],
  ),
  ...faultsIn(
    `${folder}/response-headers.ts`,
    [`${folder}/consul-ui.slow.test.ts`, `${folder}/consul-ui-limits.slow.test.ts`],
    [
      ['other origins read', "name.startsWith('access-control-')", 'false'],
      ['the UI may be framed', "  'x-frame-options': 'DENY',\n", ''],
      ['values run as scripts', 'isData ? dataPolicy : uiPolicy', 'uiPolicy'],
    ],
  ),
  ...faultsIn(
    `${folder}/ui-server.ts`,
    [`${folder}/consul-ui.slow.test.ts`, `${folder}/consul-ui-limits.slow.test.ts`],
    [
      ['slow heads stay', '    headersTimeout: limits.headMs,\n    requestTimeout: limits.requestMs,\n', ''],
      ['a client that does not read holds its place', '  server.setTimeout(limits.idleMs);\n', ''],
      [
        'silent connections keep others out',
        "  boundConnections(server, limits.connections, certificates === undefined ? 'connection' : 'secureConnection');\n",
        '',
      ],
    ],
  ),
];
