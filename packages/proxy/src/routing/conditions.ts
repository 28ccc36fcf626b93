import { methodOf } from '@swarmgate/labels';
import type { Destination } from '@swarmgate/registry';
import type { RequestTarget } from '../model/request-target.ts';
import { type EntryPortPattern, entersAt, entryPortPattern } from './entry-port.ts';
import { type PathPattern, pathMatches, showPath } from './path-pattern.ts';
import { compileRule, type RequestRule } from './request-rule.ts';

/** What a route requires of a request beside its host and path. All must hold; inside a list one is enough. */
export interface Conditions {
  readonly port: number | undefined;
  /** `entryPorts`: one of them must be the request's. */
  readonly entryPorts: readonly EntryPortPattern[] | undefined;
  readonly excludes: readonly PathPattern[];
  /** Lower-case names. Every one must hold, with exactly this value. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Lower case. One of them must occur in the user agent. */
  readonly userAgents: readonly string[];
  /**
   * As requests carry them. Methods only choose among routes of one host and path; a method that none of them takes still finds
   * the route, whose middleware responds with 403.
   */
  readonly allowedMethods: ReadonlySet<string> | undefined;
  readonly deniedMethods: ReadonlySet<string> | undefined;
  /** How many predicates there are for `strict` order: methods, headers, user agent, entry port. */
  readonly count: number;
  /** `rule`, compiled. */
  readonly rule: RequestRule | undefined;
  /** Equal for equal conditions, whatever order they were written in. */
  readonly identity: string;
  /** Nothing to check but methods. */
  readonly free: boolean;
}

export type ConditionName = 'port' | 'pathExclude' | 'header' | 'userAgent' | 'rule';

/**
 * @param methodsSeparate whether routes that differ in their methods only are different matches (`strict`)
 */
export function compileConditions(
  destination: Destination,
  port: number | undefined,
  excludes: readonly PathPattern[],
  methodsSeparate: boolean,
): Conditions {
  const headers = Object.entries(destination.serviceHeader ?? {})
    .map(([name, value]) => ({ name: name.toLowerCase(), value }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const userAgents = (destination.userAgent ?? []).map((text) => text.toLowerCase()).toSorted();
  const allowedMethods = methodSet(destination.allowedMethods);
  // Services that take `post` for POST exist, so what is denied is compared without case.
  const deniedMethods = methodSet(destination.deniedMethods?.map((method) => method.toUpperCase()));
  const entryPorts = destination.entryPorts?.map(entryPortPattern);
  const rule = destination.rule === undefined ? undefined : compileRule(destination.rule);
  const methods = methodsSeparate ? [sortedOf(allowedMethods), sortedOf(deniedMethods)] : [];
  const count =
    headers.length +
    (userAgents.length > 0 ? 1 : 0) +
    (port === undefined ? 0 : 1) +
    (entryPorts === undefined ? 0 : 1) +
    (rule === undefined ? 0 : 1) +
    (allowedMethods ? 1 : 0) +
    (deniedMethods ? 1 : 0);
  if (count === 0 && excludes.length === 0 && destination.priority === undefined) return unconditional;
  const isPlain = headers.length === 0 && userAgents.length === 0 && rule === undefined && entryPorts === undefined;
  const free = port === undefined && excludes.length === 0 && isPlain;
  const requested: unknown[] = [port ?? 0, excludes.map(showPath).toSorted(), headers, userAgents, ...methods];
  if (rule !== undefined) requested.push({ rule: rule.text });
  // Of two rules that differ in their priority the higher one comes first, so they are in no conflict.
  if (destination.priority !== undefined) requested.push({ priority: destination.priority });
  if (entryPorts !== undefined) requested.push({ entryPorts: destination.entryPorts?.toSorted() });
  const identity = JSON.stringify(requested);
  return {
    port,
    entryPorts,
    excludes,
    headers,
    userAgents,
    allowedMethods,
    deniedMethods,
    count,
    rule,
    identity,
    free,
  };
}

/** One for all routes that require nothing more: nearly all. */
const unconditional: Conditions = {
  port: undefined,
  entryPorts: undefined,
  excludes: [],
  headers: [],
  userAgents: [],
  allowedMethods: undefined,
  deniedMethods: undefined,
  rule: undefined,
  count: 0,
  identity: '',
  free: true,
};

/** The first condition that the request fails, in the order of `explain`. */
export function firstFailed(conditions: Conditions, target: RequestTarget): ConditionName | undefined {
  if (conditions.free) return undefined;
  if (!takesEntry(conditions, target)) return 'port';
  for (const exclude of conditions.excludes) if (pathMatches(exclude, target.path)) return 'pathExclude';
  for (const { name, value } of conditions.headers) if (target.header(name) !== value) return 'header';
  if (conditions.userAgents.length > 0) {
    const userAgent = target.header('user-agent')?.toLowerCase() ?? '';
    if (!conditions.userAgents.some((text) => userAgent.includes(text))) return 'userAgent';
  }
  if (conditions.rule !== undefined && !conditions.rule.fits(target)) return 'rule';
  return undefined;
}

/** Whether requests that came to an entrypoint can belong to the route. */
export function takesEntry({ port, entryPorts }: Conditions, at: Pick<RequestTarget, 'port' | 'secure'>): boolean {
  if (port !== undefined && port !== at.port) return false;
  return entryPorts?.some((pattern) => entersAt(pattern, at)) !== false;
}

export function takesMethod(conditions: Conditions, method: string): boolean {
  if (conditions.allowedMethods !== undefined && !conditions.allowedMethods.has(method)) return false;
  return conditions.deniedMethods === undefined || !conditions.deniedMethods.has(method.toUpperCase());
}

function methodSet(methods: readonly string[] | undefined): ReadonlySet<string> | undefined {
  if (methods === undefined || methods.length === 0) return undefined;
  return new Set(methods.map(methodOf));
}

function sortedOf(methods: ReadonlySet<string> | undefined): readonly string[] {
  return methods ? [...methods].toSorted() : [];
}
