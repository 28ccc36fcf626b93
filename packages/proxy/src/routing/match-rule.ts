import type { Route } from '../model/route.ts';
import type { Conditions } from './conditions.ts';
import { type HostPattern, showHost } from './host-pattern.ts';
import { type PathPattern, showPath } from './path-pattern.ts';

/** A route with what the index and `explain` need of it. */
export interface CompiledRoute {
  readonly route: Route;
  readonly conditions: Conditions;
  /** Every host with every path, in rank order. Empty for tcp and sni, and for a default backend without match labels. */
  readonly matchRules: readonly MatchRule[];
  readonly mode: 'http' | 'redirect' | 'tcp';
  /** Sort key among equals: `aclName`, else the service's name. */
  readonly aclName: string;
  /** Class of the whole service in `legacy` order: 0 for `/.well-known…`, 2 for a bare `/`, else 1. */
  readonly legacyClass: 0 | 1 | 2;
}

/** One host and one path that a route matches: the unit that is indexed and that conflicts are about. */
export interface MatchRule {
  readonly of: CompiledRoute;
  readonly phase: MatchPhase;
  readonly host: HostPattern;
  readonly path: PathPattern;
  /** Smaller is matched earlier; equal ranks go on to `compareRules`' next criterion. */
  readonly rank: number;
}

/** `acme` exists in `strict` only; `prioritized` rules have a `priority`. */
export type MatchPhase = 'acme' | 'redirect' | 'prioritized' | 'ordinary';

/** Equal for rules that match the same host and path in the same phase. */
export function matchKeyOf({ phase, host, path }: Pick<MatchRule, 'phase' | 'host' | 'path'>): string {
  const hostText = host.kind === 'any' ? '' : host.text;
  return `${phase} ${host.kind} ${hostText} ${path.kind}${path.folded ? '-i' : ''} ${path.text}`;
}

/** For messages: `shop.example /api`. */
export function showMatchKey({ host, path }: Pick<MatchRule, 'host' | 'path'>): string {
  return `${showHost(host)} ${showPath(path)}`;
}
