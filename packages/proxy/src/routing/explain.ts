import { isCredentialName } from '@swarmgate/labels';
import type { RequestTarget } from '../model/request-target.ts';
import { BoundedSelection } from './bounded-selection.ts';
import type { CompiledService } from './compile-service.ts';
import { type ConditionName, firstFailed, takesMethod } from './conditions.ts';
import { hostMatches, showHost } from './host-pattern.ts';
import { type CompiledRoute, type MatchRule, showMatchKey } from './match-rule.ts';
import { compareText, type MatchingOrder, priorityOf } from './matching-order.ts';
import { pathMatches, showPath } from './path-pattern.ts';
import { compareRoutes } from './route-order.ts';
import type { Explanation, FailedCondition } from './route-table.ts';
import type { ServiceStatus } from './table-parts.ts';

export interface ExplainedTable {
  readonly winner: MatchRule | undefined;
  readonly byDefault: CompiledRoute | undefined;
  readonly services: Iterable<CompiledService>;
  readonly status: (service: CompiledService) => ServiceStatus;
  /** The rule that takes the requests of this one, if there is one. */
  readonly winnerOver: (rule: MatchRule) => MatchRule | undefined;
  readonly order: MatchingOrder;
  readonly limit: number;
}

/**
 * Evaluates every route with the same matchers as the lookup. Beyond the limit the candidates with most in common with
 * the request are listed; the list itself is in matching order. Yields after each route.
 */
export function* explainRequest(target: RequestTarget, table: ExplainedTable): Generator<undefined, Explanation> {
  const winner = table.winner?.of ?? table.byDefault;
  const selection = new BoundedSelection<Candidate>(
    table.limit,
    (one, other) => one.distance - other.distance || compareRoutes(one.compiled, other.compiled, table.order),
  );
  for (const service of table.services) {
    const status = table.status(service);
    for (const compiled of service.routes) {
      if (compiled === winner) continue;
      selection.offer({ compiled, status, distance: distanceOf(compiled, target) });
      yield;
    }
  }
  const candidates: Explanation['candidates'][number][] = [];
  for (const candidate of selection
    .kept()
    .toSorted((one, other) => compareRoutes(one.compiled, other.compiled, table.order))) {
    candidates.push({ route: candidate.compiled.route, failed: failureOf(candidate, target, table) });
    yield;
  }
  return {
    winner: winner?.route,
    byDefault: table.winner === undefined && table.byDefault !== undefined,
    candidates,
    omitted: selection.omitted,
  };
}

interface Candidate {
  readonly compiled: CompiledRoute;
  readonly status: ServiceStatus;
  /** 0: host and path fit; 1: one of them; 2: neither. */
  readonly distance: Distance;
}

type Distance = 0 | 1 | 2;

function distanceOf({ matchRules }: CompiledRoute, target: RequestTarget): Distance {
  let distance: Distance = 2;
  for (const { host, path } of matchRules) {
    const hostFits = hostMatches(host, target.host);
    const pathFits = pathMatches(path, target.path);
    if (hostFits && pathFits) return 0;
    if (hostFits || pathFits) distance = 1;
  }
  return distance;
}

function failureOf(candidate: Candidate, target: RequestTarget, table: ExplainedTable): FailedCondition {
  const { compiled, status } = candidate;
  const { conditions, route } = compiled;
  if (status === 'other-instance')
    return failed('instance', `is for the proxy instance ${route.definition.proxyInstanceName}`);
  if (status === 'overridden') return failed('overridden', `manual/${route.definition.service} overrides it`);
  if (compiled.mode === 'tcp')
    return failed('port', `serves ${route.destination.reqMode} on port ${conditions.port ?? 'unknown'}, not http`);
  if (conditions.port !== undefined && conditions.port !== target.port)
    return failed('port', `entry port is ${conditions.port}, not ${target.port}`);
  const ofHost = compiled.matchRules.filter(({ host }) => hostMatches(host, target.host));
  if (ofHost.length === 0) return failed('host', hostMessage(compiled, target));
  const fitting = ofHost.find(({ path }) => pathMatches(path, target.path));
  if (fitting === undefined) return failed('path', pathMessage(ofHost, target));
  const condition = firstFailed(conditions, target);
  if (condition !== undefined) return failed(condition, conditionMessage(condition, compiled, target));
  return beaten(fitting, target, table);
}

/** Why a route that fits the request does not get it. */
function beaten(rule: MatchRule, target: RequestTarget, table: ExplainedTable): FailedCondition {
  const { winner } = table;
  const competing = table.winnerOver(rule);
  if (competing !== undefined)
    return failed(
      'conflict',
      `${showMatchKey(rule)} is matched by ${competing.of.route.key} too, which takes precedence`,
    );
  if (!takesMethod(rule.of.conditions, target.method)) return failed('method', `does not take ${target.method}`);
  if (winner === undefined) return failed('shadowed', 'is the default backend’s');
  if (winner.of.conditions.identity === rule.of.conditions.identity && table.order.compare(winner, rule) > 0)
    return failed('shadowed', `shares its requests by weight with ${winner.of.route.key}`);
  return failed('shadowed', `${winner.of.route.id} comes first: ${whyEarlier(winner, rule, table.order)}`);
}

function whyEarlier(winner: MatchRule, rule: MatchRule, order: MatchingOrder): string {
  const both = `${showMatchKey(winner)} before ${showMatchKey(rule)}`;
  if (winner.phase === 'prioritized' && rule.phase === 'prioritized' && priorityOf(winner) !== priorityOf(rule))
    return `its priority is ${priorityOf(winner)}, not ${priorityOf(rule)}`;
  if (winner.phase !== rule.phase && [winner.phase, rule.phase].includes('prioritized'))
    return `it is more specific (${both})`;
  if (winner.rank < rule.rank) {
    return order.name === 'legacy'
      ? 'paths under /.well-known come first, a bare / comes last'
      : `it is more specific (${both})`;
  }
  if (order.name === 'strict' && winner.of.conditions.count > rule.of.conditions.count) {
    return `it has more conditions (${winner.of.conditions.count} against ${rule.of.conditions.count})`;
  }
  return compareText(winner.of.aclName, rule.of.aclName) < 0
    ? `aclName ${winner.of.aclName} before ${rule.of.aclName}`
    : 'its owner, service or index comes first';
}

function hostMessage({ matchRules }: CompiledRoute, target: RequestTarget): string {
  if (matchRules.length === 0) return 'matches no host and no path';
  return `host is ${target.host}, not ${alternatives(matchRules.map(({ host }) => showHost(host)))}`;
}

function pathMessage(matchRules: readonly MatchRule[], target: RequestTarget): string {
  return `path is ${shortened(target.path)}, not ${alternatives(matchRules.map(({ path }) => showPath(path)))}`;
}

function conditionMessage(
  condition: ConditionName,
  { conditions, route }: CompiledRoute,
  target: RequestTarget,
): string {
  switch (condition) {
    case 'port':
      return `entry port is ${conditions.port ?? alternatives(route.destination.entryPorts ?? [])}, not ${shownPort(target)}`;
    case 'pathExclude':
      return `path is ${shortened(target.path)}, which servicePathExclude leaves out`;
    case 'header': {
      const missed = conditions.headers.find(({ name, value }) => target.header(name) !== value);
      // The request's value may be a credential, and so may the label's.
      const isSecret = missed === undefined || isCredentialName(missed.name);
      return `header ${missed?.name} is not ${isSecret ? 'the required one' : missed.value}`;
    }
    case 'userAgent':
      return `user agent holds none of ${alternatives(conditions.userAgents)}`;
    case 'rule':
      return `its rule does not hold: ${shortened(conditions.rule?.shown ?? '')}`;
  }
}

function shownPort({ port, secure }: RequestTarget): string {
  return secure === true ? `${port}:ssl` : String(port);
}

const MOST_NAMED = 3;
const MOST_CHARACTERS = 200;

/** A path stands in the message of every candidate: a long one would make the explanation as long as all of them. */
function shortened(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}… (${text.length} characters)` : text;
}

function alternatives(texts: readonly string[]): string {
  const different = [...new Set(texts)];
  const more = different.length - MOST_NAMED;
  const named = different.slice(0, MOST_NAMED).map(shortened).join(' or ');
  return more > 0 ? `${named} or ${more} more` : named;
}

function failed(condition: FailedCondition['condition'], message: string): FailedCondition {
  return { condition, message };
}
