import { createHash } from 'node:crypto';
import { type ServiceKey, serviceKey } from '@swarmgate/labels';
import { isName } from '@swarmgate/runtime';

/** The kinds of documents that the journal names and proxies follow. */
export type DocumentKind = 'services' | 'endpoints' | 'labelProblems' | 'maintenance';

/** What a key below the instance's prefix is. */
export type PlacedKey =
  | { readonly kind: DocumentKind; readonly service: ServiceKey; readonly owner: string; readonly name: string }
  /** Ours, but no document: head, locks, replicas, history, certificates. */
  | { readonly kind: 'ours' }
  | { readonly kind: 'foreign' };

/** Where everything of one proxy instance stands: docs/registry.md describes each key. Pure. */
export interface KeyLayout {
  readonly instance: string;
  readonly prefix: string;
  readonly head: string;
  /** Prefixes, each ending in `/`. */
  readonly services: string;
  readonly endpoints: string;
  readonly labelProblems: string;
  readonly maintenance: string;
  readonly proxies: string;
  documentKey(kind: DocumentKind, service: ServiceKey): string;
  /** Written by the one proxy that is the reporter: conflicts and unusable documents of a service. */
  routeProblemsKey(service: ServiceKey): string;
  /** Written by the reporter, for a foreign key: a hash, because its name may hold what a key of ours may not. */
  keyProblemsKey(foreignKey: string): string;
  replica(replica: string): string;
  /** Prefix of what each replica counted: see `ReplicaPresence.shareNumbers`. */
  readonly numbers: string;
  /** Prefix of the sessions of the console that were logged out, by hash. */
  readonly revokedSessions: string;
  leader(owner: string): string;
  leaderHeartbeat(owner: string): string;
  readonly reporter: string;
  readonly reporterHeartbeat: string;
  /** The last request that every proxy read everything again. */
  readonly reload: string;
  /** Prefix of one service's history, or with a number one entry of it. */
  history(service: ServiceKey, number?: number): string;
  /** Prefix of all histories. */
  readonly histories: string;
  /** Which entry of which service's history a key is; `undefined`: none. */
  historyEntry(key: string): { readonly service: ServiceKey; readonly number: number } | undefined;
  place(key: string): PlacedKey;
}

/**
 * Every key below the instance's prefix, as docs/registry.md names them; a last part of `…` stands for several parts. What
 * is none of these is a foreign key.
 */
export const keyPatterns = [
  'head',
  'services/<owner>/<service>',
  'endpoints/<owner>/<service>',
  'problems/labels/<owner>/<service>',
  'problems/routes/<owner>/<service>',
  'problems/keys/<hash>',
  'maintenance/<owner>/<service>',
  'history/<owner>/<service>/<n>',
  'leader/<owner>',
  'leader-heartbeat/<owner>',
  'reporter',
  'reporter-heartbeat',
  'proxies/<replica>',
  'numbers/<replica>',
  'reload',
  'sessions/revoked/<hash>',
  'certs/<name>',
  'acme/…',
] as const;

const documentParts: ReadonlySet<string> = new Set(['services', 'endpoints', 'problems', 'maintenance']);
/** First parts of the keys that are ours and no documents. */
const ourFirstParts: ReadonlySet<string> = new Set(
  keyPatterns.map((pattern) => pattern.split('/')[0] ?? '').filter((part) => !documentParts.has(part)),
);

export function keyLayout(instance: string): KeyLayout {
  const prefix = `${instance}/`;
  const prefixes: Readonly<Record<DocumentKind, string>> = {
    services: `${prefix}services/`,
    endpoints: `${prefix}endpoints/`,
    labelProblems: `${prefix}problems/labels/`,
    maintenance: `${prefix}maintenance/`,
  };
  return {
    instance,
    prefix,
    head: `${prefix}head`,
    ...prefixes,
    proxies: `${prefix}proxies/`,
    documentKey: (kind, service) => prefixes[kind] + service,
    routeProblemsKey: (service) => `${prefix}problems/routes/${service}`,
    keyProblemsKey: (foreignKey) => `${prefix}problems/keys/${createHash('sha1').update(foreignKey).digest('hex')}`,
    replica: (replica) => `${prefix}proxies/${replica}`,
    numbers: `${prefix}numbers/`,
    revokedSessions: `${prefix}sessions/revoked/`,
    leader: (owner) => `${prefix}leader/${owner}`,
    leaderHeartbeat: (owner) => `${prefix}leader-heartbeat/${owner}`,
    reporter: `${prefix}reporter`,
    reporterHeartbeat: `${prefix}reporter-heartbeat`,
    reload: `${prefix}reload`,
    history: (service, number) => `${prefix}history/${service}/${number ?? ''}`,
    histories: `${prefix}history/`,
    historyEntry: (key) => historyEntry(key, `${prefix}history/`),
    place: (key) => place(key, prefix, prefixes),
  };
}

function historyEntry(key: string, prefix: string): ReturnType<KeyLayout['historyEntry']> {
  if (!key.startsWith(prefix)) return undefined;
  const [owner = '', name = '', number = '', ...more] = key.slice(prefix.length).split('/');
  if (more.length > 0 || !/^[1-9][0-9]*$/.test(number)) return undefined;
  return { service: serviceKey({ owner, service: name }), number: Number(number) };
}

function place(key: string, prefix: string, prefixes: Readonly<Record<DocumentKind, string>>): PlacedKey {
  if (!key.startsWith(prefix)) return { kind: 'foreign' };
  for (const kind of ['services', 'endpoints', 'labelProblems', 'maintenance'] as const) {
    if (!key.startsWith(prefixes[kind])) continue;
    const [owner = '', name = '', ...more] = key.slice(prefixes[kind].length).split('/');
    if (more.length > 0 || !isName(owner) || !isName(name)) return { kind: 'foreign' };
    return { kind, service: serviceKey({ owner, service: name }), owner, name };
  }
  const parts = key.slice(prefix.length).split('/');
  if (parts[0] === 'problems') return { kind: parts[1] === 'routes' || parts[1] === 'keys' ? 'ours' : 'foreign' };
  return { kind: ourFirstParts.has(parts[0] ?? '') ? 'ours' : 'foreign' };
}
