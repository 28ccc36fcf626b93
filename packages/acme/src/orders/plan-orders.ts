import { groupNames, type NameGroup } from '../names/group-names.ts';
import { isCovered, nameKind } from '../names/name-kind.ts';
import type { RequiredName } from '../names/select-names.ts';

/** A certificate of this proxy's own, as planning sees it. */
export interface OwnCertificate {
  readonly id: string;
  readonly names: readonly string[];
  readonly notAfterMs: number;
  /** When it is to be renewed. */
  readonly renewAtMs: number;
  readonly issuer: string;
  /** ARI's name of it. */
  readonly renewalId?: string;
}

/** A name that failed, or waits, and has no success since. */
export interface NameState {
  /** 0: it only waits, for a limit of the budget or for a CA that is away. */
  readonly failures: number;
  readonly nextAttemptMs: number;
}

export interface OrderPlanInput {
  readonly required: readonly RequiredName[];
  readonly certificates: readonly OwnCertificate[];
  readonly states: ReadonlyMap<string, NameState>;
  /** Names of orders that are in progress. */
  readonly inProgress: ReadonlySet<string>;
  /** Names that an operator requested to renew now. */
  readonly requested: ReadonlySet<string>;
  readonly nowMs: number;
}

export interface PlannedOrder {
  readonly names: NameGroup;
  readonly reason: 'new' | 'renewal';
  /** The certificate that it renews. */
  readonly renews?: OwnCertificate;
}

export interface OrderPlan {
  /** To begin now, renewals first. */
  readonly orders: readonly PlannedOrder[];
  /** When there is something to do again without a change; `Infinity`: never. */
  readonly nextMs: number;
  /** Certificates that are over, or replaced for each of their names, and can go. */
  readonly obsolete: readonly OwnCertificate[];
}

/**
 * What to order now: names that no certificate covers, and certificates that are due, as far as a route has their names.
 * A required wildcard covers its names unless it failed. A name that failed waits for its next attempt; an operator's
 * request does not wait.
 */
export function planOrders(input: OrderPlanInput): OrderPlan {
  const { required, certificates, states, inProgress, requested, nowMs } = input;
  const alive = certificates.filter(({ notAfterMs }) => notAfterMs > nowMs);
  const isDue = (each: OwnCertificate) => each.renewAtMs <= nowMs || each.names.some((name) => requested.has(name));
  const fresh = new Set(alive.filter((each) => !isDue(each)).flatMap(({ names }) => names));
  const wildcards = new Set(
    required.filter(({ name }) => nameKind(name) === 'wildcard' && !isFailing(states, name)).map(({ name }) => name),
  );
  const isServedByWildcard = (name: string) => nameKind(name) === 'dns' && isCovered(name, wildcards);

  let nextMs = Number.POSITIVE_INFINITY;
  const needed: RequiredName[] = [];
  for (const each of required) {
    const { name } = each;
    if (isServedByWildcard(name) || inProgress.has(name) || isCovered(name, fresh)) continue;
    const waitsUntilMs = requested.has(name) ? nowMs : (states.get(name)?.nextAttemptMs ?? nowMs);
    if (waitsUntilMs <= nowMs) needed.push(each);
    else nextMs = Math.min(nextMs, waitsUntilMs);
  }
  const requiredNames = new Set(required.map(({ name }) => name));
  for (const { names, renewAtMs } of alive) {
    if (renewAtMs > nowMs && names.some((name) => requiredNames.has(name))) nextMs = Math.min(nextMs, renewAtMs);
  }
  return {
    orders: plannedOrders(needed, alive.filter(isDue), states),
    nextMs,
    obsolete: certificates.filter((each) => isObsolete(each, certificates, nowMs)),
  };
}

function plannedOrders(
  needed: readonly RequiredName[],
  due: readonly OwnCertificate[],
  states: OrderPlanInput['states'],
): PlannedOrder[] {
  const renewedBy = new Map<string, OwnCertificate>();
  // The newest one of several that hold a name is the one that its successor replaces.
  for (const each of due.toSorted((a, b) => a.notAfterMs - b.notAfterMs))
    for (const name of each.names) renewedBy.set(name, each);
  const renewals = new Map<OwnCertificate, RequiredName[]>();
  const first: RequiredName[] = [];
  for (const each of needed) {
    const renews = isFailing(states, each.name) ? undefined : renewedBy.get(each.name);
    if (renews === undefined) first.push(each);
    else renewals.set(renews, [...(renewals.get(renews) ?? []), each]);
  }
  return [
    ...[...renewals].flatMap(([renews, names]) =>
      groupNames(names, () => false).map((group, at): PlannedOrder => {
        // A certificate is replaced once (RFC 9773, section 5): its names may belong to several services by now.
        return at === 0 ? { names: group, reason: 'renewal', renews } : { names: group, reason: 'renewal' };
      }),
    ),
    ...groupNames(first, (name) => isFailing(states, name)).map(
      (names): PlannedOrder => ({
        names,
        reason: names.some(({ name }) => renewedBy.has(name)) ? 'renewal' : 'new',
      }),
    ),
  ];
}

function isFailing(states: OrderPlanInput['states'], name: string): boolean {
  return (states.get(name)?.failures ?? 0) > 0;
}

/**
 * Over, or every name of it has a certificate that ends later. Names that are not required now count too: a label that
 * cannot be honoured, or routes that are not all there yet, take no certificate from a host that is served with it.
 */
function isObsolete(certificate: OwnCertificate, all: readonly OwnCertificate[], nowMs: number): boolean {
  if (certificate.notAfterMs <= nowMs) return true;
  const later = all.filter((each) => each !== certificate && each.notAfterMs > certificate.notAfterMs);
  if (later.length === 0) return false;
  const covering = new Set(later.flatMap((each) => each.names));
  return certificate.names.every((name) => isCovered(name, covering));
}
