/** Names of `node:http` and `node:https` that a file of these folders imports at run time or as types, by file. */
export const allowedOfNodeHttp: Readonly<Record<string, readonly [names: readonly string[], reason: string]>> = {
  'exchange/tracing/secure-posts.ts': [
    ['Agent', 'request', 'IncomingMessage'],
    'a client: it sends spans to a collector over TLS',
  ],
  'express/headers-object.ts': [['IncomingHttpHeaders'], 'a type'],
  'express/view-request.ts': [
    ['IncomingHttpHeaders', 'IncomingMessage'],
    'the class that middleware extends and checks',
  ],
  'express/response-checks.ts': [
    ['OutgoingHttpHeader', 'OutgoingHttpHeaders', 'validateHeaderName', 'validateHeaderValue'],
    'types, and checks of names and values',
  ],
  'express/response-events.ts': [['ServerResponse'], 'the class that middleware extends and checks'],
  'express/view-response.ts': [
    ['OutgoingHttpHeader', 'OutgoingHttpHeaders', 'STATUS_CODES'],
    'types, a table of texts',
  ],
  'server/http2/reference/reference-connection.ts': [
    ['IncomingHttpHeaders', 'ServerHttp2Session', 'ServerHttp2Stream', 'performServerHandshake'],
    '`HTTP2=node`: the reference that the own server is compared with',
  ],
  'server/http2/reference/reference-stream.ts': [['OutgoingHttpHeaders', 'ServerHttp2Stream'], 'types'],
};

const servers = /^(?:node:)?(?:http|https|http2|_http_server|_http_common)$/;

/**
 * What a source takes from Node's HTTP modules: the names of named imports, and `*` for every other way to get at one
 * (a default or namespace import, `import()`, `require`, `process.getBuiltinModule`, a re-export). Members of `nodeHttp` count as named.
 */
export function takenOfNodeHttp(source: string): readonly string[] {
  const taken: string[] = [];
  for (const [line, named, specifier = ''] of source.matchAll(
    /^(?:import|export)\s[^'"]*?(?:\{([^}]*)\})?\s*(?:from\s+)?['"]([^'"]+)['"]/gm,
  )) {
    if (!servers.test(specifier)) continue;
    if (named === undefined || !line.startsWith('import') || !/^import\s+(?:type\s+)?\{/.test(line)) taken.push('*');
    for (const each of (named ?? '').split(','))
      if (each.trim() !== '')
        taken.push(
          (
            each
              .trim()
              .replace(/^type\s+/, '')
              .split(/\s+as\s+/)[0] ?? ''
          ).trim(),
        );
  }
  for (const [, specifier = ''] of source.matchAll(/\b(?:import|require|getBuiltinModule)\s*\(\s*['"`]([^'"`]+)['"`]/g))
    if (servers.test(specifier)) taken.push('*');
  // `nodeHttp` of the runtime stands for the module; only its members may be used.
  for (const [, name] of source.replace(/^import [^;]*;$/gm, '').matchAll(/\bnodeHttp\b(?:\.(\w+))?/g))
    taken.push(name ?? '*');
  return [...new Set(taken)].sort();
}
