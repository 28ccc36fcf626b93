export interface Module {
  readonly name: string;
  readonly what: string;
  /** `pure` takes values and returns values; an `adapter` does I/O. */
  readonly kind: 'pure' | 'adapter' | 'pure decisions, adapter at the edge';
  /** Modules and packages that it may import, types counted. Absent in `proxy`, where the order of the table decides. */
  readonly imports?: readonly string[];
}

/** Which package may import which; every module of a package may import these. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  labels: ['runtime'],
  registry: ['labels', 'runtime'],
  acme: ['registry', 'labels', 'runtime'],
  console: [],
  'swarm-listener': ['registry', 'labels', 'runtime'],
  proxy: ['acme', 'console', 'registry', 'labels', 'runtime'],
  cli: ['proxy', 'swarm-listener', 'registry', 'labels', 'runtime'],
};

/**
 * The modules and the direction of imports among them. A package's own name stands for the files at the top of its `src`:
 * contracts that its modules share, and the file that composes them (`index.ts`, `proxy.ts`, `listener.ts`, …).
 */
export const modules: readonly Module[] = [
  {
    name: 'runtime/settings',
    what: 'every setting: name, parser, default, meaning; looks at the files and folders that they name',
    kind: 'pure decisions, adapter at the edge',
    imports: ['runtime'],
  },
  {
    name: 'runtime/rest',
    what: 'bounds of REST ports: connections, calls of one connection, bodies and what follows them',
    kind: 'adapter',
    imports: ['runtime'],
  },
  { name: 'runtime/testing', what: 'what tests of every package need', kind: 'adapter', imports: [] },
  {
    name: 'labels/values',
    what: 'kinds of values: how one is written in a label, and its schema in a definition',
    kind: 'pure',
    imports: [],
  },
  {
    name: 'labels/middlewares',
    what: 'one entry per kind of middleware: its options, what it restricts; the syntax of its label',
    kind: 'pure',
    imports: ['labels/values'],
  },
  {
    name: 'labels/catalogue',
    what: 'one entry per label: its kind of value, default, meaning, what it restricts',
    kind: 'pure',
    imports: ['labels/middlewares', 'labels/values'],
  },
  {
    name: 'labels/definition',
    what: 'the type of a service definition, derived from the catalogue; problems; checks across fields',
    kind: 'pure',
    imports: ['labels/catalogue', 'labels/middlewares', 'labels/values'],
  },
  {
    name: 'labels/docker-flow',
    what: '`com.df.*`, query parameters and `DFP_SERVICE_*` → definition and problems',
    kind: 'pure',
    imports: ['labels/definition', 'labels/catalogue', 'labels/values'],
  },
  {
    name: 'labels/traefik',
    what: '`traefik.*` of all services → destinations and problems',
    kind: 'pure',
    imports: ['labels/definition', 'labels/catalogue', 'labels/middlewares', 'labels/values'],
  },
  {
    name: 'registry/definition',
    what: 'documents: schemas, checks that return problems, sealing of secrets',
    kind: 'pure',
    imports: ['registry'],
  },
  {
    name: 'registry/store',
    what: 'the key–value port; Consul and embedded behind it',
    kind: 'adapter',
    imports: ['registry'],
  },
  {
    name: 'registry/journal',
    what: 'head, keys, reading, following, publishing, history',
    kind: 'pure decisions, adapter at the edge',
    imports: ['registry', 'registry/definition', 'registry/store'],
  },
  {
    name: 'registry/session',
    what: 'leadership and the presence of replicas',
    kind: 'adapter',
    imports: ['registry', 'registry/store', 'registry/journal'],
  },
  {
    name: 'acme/protocol',
    what: 'client of RFC 8555 and RFC 9773: one request each, typed errors; never waits',
    kind: 'adapter',
    imports: ['acme/names'],
  },
  {
    name: 'acme/certificates',
    what: 'signing requests, certificates of tls-alpn-01, parsing of issued certificates',
    kind: 'pure',
    imports: ['acme/names'],
  },
  {
    name: 'acme/names',
    what: 'which names are ordered, and which of them together',
    kind: 'pure',
    imports: [],
  },
  {
    name: 'acme/orders',
    what: 'decisions of ordering: next step, budget, retries, renewal, issuers, texts of problems',
    kind: 'pure',
    imports: ['acme/names', 'acme/protocol'],
  },
  {
    name: 'acme/storage',
    what: 'documents in the registry: fenced writing, following, a copy on disk',
    kind: 'adapter',
    imports: ['acme/names'],
  },
  {
    name: 'acme/challenges',
    what: 'responses to challenges: for proxies, and as records in DNS',
    kind: 'adapter',
    imports: ['acme/names', 'acme/protocol', 'acme/certificates', 'acme/storage'],
  },
  {
    name: 'acme/ordering',
    what: 'the orderer: holds the lock, runs orders to their end, reads the renewal windows',
    kind: 'adapter',
    imports: ['acme/names', 'acme/orders', 'acme/protocol', 'acme/certificates', 'acme/challenges', 'acme/storage'],
  },
  {
    name: 'acme/report',
    what: 'certificates and names as operators see them',
    kind: 'pure',
    imports: ['acme/names', 'acme/orders', 'acme/storage'],
  },
  {
    name: 'swarm-listener/swarm',
    what: 'observe: list, inspect, events, triggers',
    kind: 'adapter',
    imports: ['swarm-listener'],
  },
  {
    name: 'swarm-listener/labels',
    what: 'Swarm service → parameters → definition, endpoints document, problems',
    kind: 'pure',
    imports: ['swarm-listener/swarm'],
  },
  {
    name: 'swarm-listener/publishing',
    what: 'plan what the registry should hold, publish it as leader',
    kind: 'pure decisions, adapter at the edge',
    imports: ['swarm-listener', 'swarm-listener/labels', 'swarm-listener/swarm'],
  },
  {
    name: 'swarm-listener/notifying',
    what: 'calls to other tools, retried until a newer event',
    kind: 'adapter',
    imports: ['swarm-listener/labels', 'swarm-listener/swarm'],
  },
  { name: 'swarm-listener/rest', what: 'the listener’s REST', kind: 'adapter', imports: ['swarm-listener'] },
  { name: 'cli/serve', what: 'the long-running processes, samples', kind: 'adapter', imports: ['cli', 'cli/output'] },
  {
    name: 'cli/commands',
    what: 'the operator’s commands, one family a file',
    kind: 'adapter',
    imports: ['cli', 'cli/compose', 'cli/output'],
  },
  { name: 'cli/compose', what: 'stack files: read, translate, compare', kind: 'pure', imports: [] },
  { name: 'cli/output', what: 'texts and tables for the terminal', kind: 'pure', imports: ['cli/compose'] },
];

/**
 * The modules of `packages/proxy/src`, lowest first. A file imports only files of its own module and of modules that stand
 * before it. `proxy.ts` composes all of them, and no file but `index.ts` imports it.
 */
export const proxyLayers: readonly Module[] = [
  {
    name: 'proxy/model',
    what: 'Route, Endpoint, HeaderList, Exchange, LocalResponse: types and nothing else',
    kind: 'pure',
  },
  {
    name: 'proxy/http',
    what: 'request head, response head, fields, chunked coding, parse errors; HTTP/2 frames',
    kind: 'pure',
  },
  { name: 'proxy/routing', what: 'match order, conflicts, host index, path index, table, explain', kind: 'pure' },
  {
    name: 'proxy/endpoints',
    what: 'endpoint discovery, DNS, health checks, health, balancing',
    kind: 'pure decisions, adapter at the edge',
  },
  {
    name: 'proxy/transport',
    what: 'connections to endpoints: open, pool, read responses, deadlines',
    kind: 'adapter',
  },
  {
    name: 'proxy/middleware',
    what: 'steps of a route, one a file; `compile-middleware.ts` holds their order',
    kind: 'pure decisions, adapter at the edge',
  },
  {
    name: 'proxy/exchange',
    what: 'decide, forward, header policy, local responses, access record, metrics: once, for every protocol',
    kind: 'pure decisions, adapter at the edge',
  },
  {
    name: 'proxy/server',
    what: 'ports, TLS, PROXY protocol, limits; HTTP/1.1, tunnels, relays',
    kind: 'adapter',
  },
  { name: 'proxy/express', what: 'an Express router on objects made of the exchange', kind: 'adapter' },
  {
    name: 'proxy/control',
    what: 'watch the registry, serve in this process or by workers, bus between replicas, admin REST, Consul’s UI',
    kind: 'pure decisions, adapter at the edge',
  },
];

const tableHead = [
  '| module | what it does | kind | may import (beside its package’s contracts) |',
  '|---|---|---|---|',
];

/** The table as ARCHITECTURE.md shows it. */
export function modulesTable(): string {
  const lines = modules.map(({ name, what, kind, imports = [] }) => {
    const [own = ''] = name.split('/');
    const within = imports.filter((each) => each !== own).map((each) => `\`${each}\``);
    return `| \`${name}\` | ${what} | ${kind} | ${within.join(', ') || '–'} |`;
  });
  return [...tableHead, ...lines].join('\n');
}

export function proxyLayersTable(): string {
  const lines = proxyLayers.map(({ name, what, kind }) => `| \`${name}\` | ${what} | ${kind} |`);
  return ['| module, lowest first | what it does | kind |', '|---|---|---|', ...lines].join('\n');
}
