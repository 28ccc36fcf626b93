import { createHash } from 'node:crypto';
import type { BudgetLimits } from './budget.ts';

/** A CA as this proxy uses it. */
export interface Issuer {
  /** Part of keys, metrics and labels: `letsencrypt`, or host and hash of a directory's URL. */
  readonly id: string;
  readonly directoryUrl: string;
  /** Keeps to the public DNS. */
  readonly isPublic: boolean;
  /** Where to try first after a failure. */
  readonly staging?: Issuer;
  readonly needsExternalAccount: boolean;
  readonly limits: BudgetLimits;
}

// Let's Encrypt allows 5 failed authorizations of a name in an hour, 5 certificates of one exact set and 50 of a
// registered domain in a week, 300 orders of an account in 3 hours (letsencrypt.org/docs/rate-limits).
const publicLimits: BudgetLimits = { failures: 4, sets: 4, domains: 45, orders: 270 };
// Staging allows more; the rehearsals of one proxy stay far below.
const stagingLimits: BudgetLimits = { failures: 30, orders: 270 };
// A CA of one's own has no limits that are known here: only a loop is stopped.
const ownLimits: BudgetLimits = { failures: 4, orders: 2_000 };

const staging: Issuer = {
  id: 'letsencrypt-staging',
  directoryUrl: 'https://acme-staging-v02.api.letsencrypt.org/directory',
  isPublic: true,
  needsExternalAccount: false,
  limits: stagingLimits,
};

const known: readonly Issuer[] = [
  {
    id: 'letsencrypt',
    directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory',
    isPublic: true,
    staging,
    needsExternalAccount: false,
    limits: publicLimits,
  },
  staging,
  {
    id: 'zerossl',
    directoryUrl: 'https://acme.zerossl.com/v2/DV90',
    isPublic: true,
    needsExternalAccount: true,
    limits: publicLimits,
  },
  {
    id: 'google',
    directoryUrl: 'https://dv.acme-v02.api.pki.goog/directory',
    isPublic: true,
    needsExternalAccount: true,
    limits: publicLimits,
  },
];

export const knownIssuers: readonly string[] = known.map(({ id }) => id);

/** An entry of `ACME_DIRECTORY`: a known name, or the URL of a directory. */
export function issuerOf(entry: string): Issuer {
  const found = known.find(({ id, directoryUrl }) => id === entry || directoryUrl === entry);
  if (found !== undefined) return found;
  const host = new URL(entry).hostname.replace(/[^A-Za-z0-9.-]/g, '-');
  const hash = createHash('sha256').update(entry).digest('hex').slice(0, 8);
  return {
    id: `${host}-${hash}`,
    directoryUrl: entry,
    isPublic: false,
    needsExternalAccount: false,
    limits: ownLimits,
  };
}

/** An issuer as the user wrote it in `ACME_DIRECTORY`: an id that was made from a URL means nothing to anyone. */
export function writtenAs({ id, directoryUrl }: Issuer): string {
  return knownIssuers.includes(id) ? id : directoryUrl;
}
