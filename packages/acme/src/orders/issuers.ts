import { createHash } from 'node:crypto';
import { type KnownDirectory, knownDirectories } from '@swarmgate/runtime';
import type { BudgetLimits } from './budget.ts';

/** A CA as this proxy uses it. */
export interface Issuer {
  /** Part of keys in the registry: `letsencrypt`, or host and hash of a directory's URL. Never shown. */
  readonly id: string;
  /** For people, as `ACME_DIRECTORY` has it. */
  readonly name: string;
  readonly directoryUrl: string;
  /** Keeps to the public DNS. */
  readonly isPublic: boolean;
  /** Where to try first after a failure. */
  readonly staging?: Issuer;
  readonly limits: BudgetLimits;
}

// Let's Encrypt allows 5 failed authorizations of a name in an hour, 5 certificates of one exact set and 50 of a
// registered domain in a week, 300 orders of an account in 3 hours (letsencrypt.org/docs/rate-limits).
const publicLimits: BudgetLimits = { failures: 4, sets: 4, domains: 45, orders: 270 };
// Staging allows more; the rehearsals of one proxy stay far below.
const stagingLimits: BudgetLimits = { failures: 30, orders: 270 };
// A CA of one's own has no limits that are known here: only a loop is stopped.
const ownLimits: BudgetLimits = { failures: 4, orders: 2_000 };

const staging = knownIssuer('letsencrypt-staging', stagingLimits);

const known: readonly Issuer[] = [
  { ...knownIssuer('letsencrypt', publicLimits), staging },
  staging,
  knownIssuer('zerossl', publicLimits),
  knownIssuer('google', publicLimits),
];

function knownIssuer(id: KnownDirectory, limits: BudgetLimits): Issuer {
  return { id, name: id, directoryUrl: knownDirectories[id].url, isPublic: true, limits };
}

/** An entry of `ACME_DIRECTORY`: a known name, or the URL of a directory. */
export function issuerOf(entry: string): Issuer {
  const found = known.find(({ id, directoryUrl }) => id === entry || directoryUrl === entry);
  if (found !== undefined) return { ...found, name: entry };
  const host = new URL(entry).hostname.replace(/[^A-Za-z0-9.-]/g, '-');
  const hash = createHash('sha256').update(entry).digest('hex').slice(0, 8);
  return { id: `${host}-${hash}`, name: entry, directoryUrl: entry, isPublic: false, limits: ownLimits };
}

/** The issuer of an id in documents, as `ACME_DIRECTORY` has it. */
export type IssuerNames = (id: string) => string;

/**
 * @param accountUrlOf directory of an account that was made: of an issuer that is not configured any more
 */
export function issuerNames(
  issuers: readonly Issuer[],
  accountUrlOf: (id: string) => string | undefined = () => undefined,
): IssuerNames {
  const all = issuers.flatMap((each) => (each.staging === undefined ? [each] : [each, each.staging]));
  const names = new Map(all.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? (known.some((each) => each.id === id) ? id : (accountUrlOf(id) ?? id));
}
