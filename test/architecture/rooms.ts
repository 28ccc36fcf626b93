export interface Room {
  readonly name: string;
  readonly what: string;
  /** `pure` takes values and returns values; `rim` acts. */
  readonly kind: 'pure' | 'rim' | 'pure decisions, acting rim';
  /** Rooms and packages whose code it may import. */
  readonly imports: readonly string[];
  /** Rooms of which it may know the types alone. */
  readonly types?: readonly string[];
}

/** Which package may import which; every room of a package may import these. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  registry: ['runtime'],
  'swarm-listener': ['registry', 'runtime'],
  proxy: ['registry', 'runtime'],
  cli: ['proxy', 'swarm-listener', 'registry', 'runtime'],
};

/**
 * The rooms and the direction of imports among them. A package's own name stands for the files at the top of its `src`:
 * contracts that its rooms share, and the file that puts the rooms together (`index.ts`, `proxy.ts`, `listener.ts`, …).
 */
export const rooms: readonly Room[] = [
  {
    name: 'runtime/settings',
    what: 'every setting: name, parser, default, meaning; looks at the files and folders that they name',
    kind: 'pure decisions, acting rim',
    imports: ['runtime'],
  },
  {
    name: 'registry/definition',
    what: 'what travels, and the checks that return problems; sealing of secrets',
    kind: 'pure',
    imports: ['registry'],
  },
  {
    name: 'registry/catalogue',
    what: 'every label: name, meaning, parser, default; parameters → definition and problems',
    kind: 'pure',
    imports: ['registry', 'registry/definition'],
  },
  {
    name: 'registry/store',
    what: 'the key–value port; Consul and embedded behind it',
    kind: 'rim',
    imports: ['registry'],
  },
  {
    name: 'registry/journal',
    what: 'head, keys, reading, following, publishing, history',
    kind: 'pure decisions, acting rim',
    imports: ['registry', 'registry/definition', 'registry/store'],
  },
  {
    name: 'registry/session',
    what: 'leadership and the presence of replicas',
    kind: 'rim',
    imports: ['registry', 'registry/store'],
    types: ['registry/journal'],
  },
  {
    name: 'swarm-listener/swarm',
    what: 'observe: list, inspect, events, triggers',
    kind: 'rim',
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
    kind: 'pure decisions, acting rim',
    imports: ['swarm-listener', 'swarm-listener/labels', 'swarm-listener/swarm'],
  },
  {
    name: 'swarm-listener/notifying',
    what: 'calls to other tools, retried until a newer event',
    kind: 'rim',
    imports: ['swarm-listener/labels', 'swarm-listener/swarm'],
  },
  { name: 'swarm-listener/rest', what: 'the listener’s REST', kind: 'rim', imports: ['swarm-listener'] },
  {
    name: 'proxy/routing',
    what: 'compile, look up, explain, choose how a service is reached',
    kind: 'pure',
    imports: [],
    types: ['proxy/forwarding'],
  },
  {
    name: 'proxy/watch',
    what: 'follow the registry; last good; holding; snapshot on disk; services of the environment',
    kind: 'pure decisions, acting rim',
    imports: [],
  },
  {
    name: 'proxy/middleware',
    what: 'steps of a route that every lane can run',
    kind: 'pure decisions, acting rim',
    imports: ['proxy/bus', 'proxy/routing'],
    types: ['proxy/forwarding'],
  },
  {
    name: 'proxy/forwarding',
    what: 'upstreams, balancer, header policy, connections to endpoints',
    kind: 'rim',
    imports: ['proxy/routing', 'proxy/middleware'],
    types: ['proxy/watch'],
  },
  {
    name: 'proxy/entrypoint',
    what: 'ports, TLS, lanes, relays; the serving plane of one process',
    kind: 'rim',
    imports: ['proxy', 'proxy/forwarding', 'proxy/middleware', 'proxy/routing'],
    types: ['proxy/watch'],
  },
  {
    name: 'proxy/workers',
    what: 'worker processes: start, feed, replace; leases, and what all workers of a proxy share',
    kind: 'pure decisions, acting rim',
    imports: ['proxy/entrypoint', 'proxy/forwarding', 'proxy/middleware'],
    types: ['proxy/routing', 'proxy/watch'],
  },
  {
    name: 'proxy/bus',
    what: 'hints among replicas over Redis: sequences, ejections, traffic; the connection to Redis',
    kind: 'rim',
    imports: ['proxy'],
  },
  {
    name: 'proxy/admin',
    what: 'the proxy’s REST, metrics and problems',
    kind: 'rim',
    imports: ['proxy', 'proxy/watch', 'proxy/routing'],
    types: ['proxy/bus', 'proxy/forwarding'],
  },
  { name: 'cli/serve', what: 'the long-running processes, samples', kind: 'rim', imports: ['cli', 'cli/output'] },
  {
    name: 'cli/commands',
    what: 'the operator’s commands, one family a file',
    kind: 'rim',
    imports: ['cli', 'cli/compose', 'cli/output'],
  },
  { name: 'cli/compose', what: 'stack files: read, translate, compare', kind: 'pure', imports: [] },
  { name: 'cli/output', what: 'texts and tables for people', kind: 'pure', imports: [], types: ['cli/compose'] },
];

/** The table as ARCHITECTURE.md shows it. */
export function roomsTable(): string {
  const lines = rooms.map(({ name, what, kind, imports, types = [] }) => {
    const [own = ''] = name.split('/');
    const within = imports.filter((each) => each !== own).map((each) => `\`${each}\``);
    const known = types.map((each) => `types of \`${each}\``);
    return `| \`${name}\` | ${what} | ${kind} | ${[...within, ...known].join(', ') || '–'} |`;
  });
  return [
    '| room | what happens there | kind | may import (beside its package’s contracts) |',
    '|---|---|---|---|',
    ...lines,
  ].join('\n');
}
