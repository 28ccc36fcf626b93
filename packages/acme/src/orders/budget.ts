import { createHash } from 'node:crypto';
import { getDomain } from 'tldts';
import { nameKind } from '../names/name-kind.ts';

const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;

/** Limits that this proxy keeps with one issuer, each below the CA's own. Absent: none. */
export interface BudgetLimits {
  /** New orders in three hours. */
  readonly orders?: number;
  /** Failed orders of one name in an hour. */
  readonly failures?: number;
  /** Certificates for one exact set of names in a week. */
  readonly sets?: number;
  /** Certificates that hold a name of one registered domain in a week. */
  readonly domains?: number;
}

/** What was spent: moments in milliseconds since the epoch, by the CA's clock. */
export interface Budget {
  readonly orders: readonly number[];
  readonly failures: Readonly<Record<string, readonly number[]>>;
  readonly sets: Readonly<Record<string, readonly number[]>>;
  readonly domains: Readonly<Record<string, readonly number[]>>;
}

export const emptyBudget: Budget = { orders: [], failures: {}, sets: {}, domains: {} };

/** What one order takes. A renewal that the CA itself suggested is exempt from all but the count of orders. */
export interface Expense {
  readonly names: readonly string[];
  readonly exempt: boolean;
}

export type Admission =
  | { readonly ok: true; readonly budget: Budget }
  /** Nothing was spent. `freeAtMs`: when the limit leaves room again. */
  | { readonly ok: false; readonly limit: keyof BudgetLimits; readonly of: string; readonly freeAtMs: number };

const windowsMs = { orders: 3 * hourMs, failures: hourMs, sets: weekMs, domains: weekMs } as const;

/** Spends one order before it is sent, so that a crash in between costs budget, and never exceeds the CA's limit. */
export function admit(budget: Budget, limits: BudgetLimits, { names, exempt }: Expense, nowMs: number): Admission {
  const pruned = prune(budget, nowMs);
  const set = setOf(names);
  const domains = [...new Set(names.map(registeredDomain))];
  const checks: (readonly [keyof BudgetLimits, string, readonly number[]])[] = [
    ['orders', 'all names', pruned.orders],
    ...names.map((name) => ['failures', name, pruned.failures[name] ?? []] as const),
  ];
  if (!exempt) {
    checks.push(['sets', names.join(', '), pruned.sets[set] ?? []]);
    for (const domain of domains) checks.push(['domains', domain, pruned.domains[domain] ?? []]);
  }
  for (const [limit, of, spent] of checks) {
    const most = limits[limit];
    if (most === undefined || spent.length < most) continue;
    const oldest = spent.toSorted((a, b) => a - b)[spent.length - most] ?? nowMs;
    return { ok: false, limit, of, freeAtMs: oldest + windowsMs[limit] };
  }
  const spentOn = (record: Budget['sets'], key: string) => [...(record[key] ?? []), nowMs];
  return {
    ok: true,
    budget: {
      ...pruned,
      orders: [...pruned.orders, nowMs],
      ...(exempt
        ? {}
        : {
            sets: { ...pruned.sets, [set]: spentOn(pruned.sets, set) },
            domains: {
              ...pruned.domains,
              ...Object.fromEntries(domains.map((domain) => [domain, spentOn(pruned.domains, domain)])),
            },
          }),
    },
  };
}

/**
 * Gives back what an order spent that ended without a certificate: CAs count certificates of a set or domain, and only orders
 * and failed authorizations of such an order. Otherwise a CA that is away for a minute would cost a name its week.
 * @param atMs when the order was admitted
 */
export function refund(budget: Budget, names: readonly string[], atMs: number): Budget {
  const without = (record: Budget['sets'], key: string) => {
    const moments = [...(record[key] ?? [])];
    const at = moments.indexOf(atMs);
    if (at !== -1) moments.splice(at, 1);
    return moments;
  };
  const set = setOf(names);
  const domains = [...new Set(names.map(registeredDomain))];
  return {
    ...budget,
    sets: { ...budget.sets, [set]: without(budget.sets, set) },
    domains: {
      ...budget.domains,
      ...Object.fromEntries(domains.map((domain) => [domain, without(budget.domains, domain)])),
    },
  };
}

/** Counts a failed order against each of the names that failed. */
export function countFailures(budget: Budget, names: readonly string[], nowMs: number): Budget {
  const pruned = prune(budget, nowMs);
  const failures = { ...pruned.failures };
  for (const name of names) failures[name] = [...(failures[name] ?? []), nowMs];
  return { ...pruned, failures };
}

function prune(budget: Budget, nowMs: number): Budget {
  const recent = (moments: readonly number[], windowMs: number) => moments.filter((at) => at > nowMs - windowMs);
  const recentOf = (record: Budget['sets'], windowMs: number) =>
    Object.fromEntries(
      Object.entries(record)
        .map(([key, moments]) => [key, recent(moments, windowMs)] as const)
        .filter(([, moments]) => moments.length > 0),
    );
  return {
    orders: recent(budget.orders, windowsMs.orders),
    failures: recentOf(budget.failures, windowsMs.failures),
    sets: recentOf(budget.sets, windowsMs.sets),
    domains: recentOf(budget.domains, windowsMs.domains),
  };
}

function setOf(names: readonly string[]): string {
  return createHash('sha256').update(names.toSorted().join('\n')).digest('hex').slice(0, 16);
}

/** By the public suffix list, with its private part: what Let's Encrypt counts by. An address is its own domain. */
export function registeredDomain(name: string): string {
  if (nameKind(name) === 'ip') return name;
  const plain = name.replace(/^\*\./, '');
  return getDomain(plain, { allowPrivateDomains: true }) ?? plain;
}
