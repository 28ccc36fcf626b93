import { createHash } from 'node:crypto';
import { keyPartOf } from '../names/name-kind.ts';

/** Where everything of the orderer stands: `<instance>/acme/…`. The other keys are relative to `prefix`. */
export interface AcmeKeys {
  readonly prefix: string;
  readonly lock: string;
  readonly lockHeartbeat: string;
  readonly head: string;
  /** Prefix of what replicas request of the orderer. */
  readonly inbox: string;
}

export function acmeKeys(instance: string): AcmeKeys {
  const prefix = `${instance}/acme/`;
  return {
    prefix,
    lock: `${prefix}lock`,
    lockHeartbeat: `${prefix}lock-heartbeat`,
    head: `${prefix}head`,
    inbox: `${prefix}inbox/`,
  };
}

/** Documents that every replica follows; the others concern the orderer alone. */
const followed = ['accounts/', 'certificates/', 'renewals/', 'names/', 'notices/'] as const;

/**
 * What may follow the kind. Replicas keep documents in files of these names, and no writer to the registry may choose a
 * path on their disks. Long enough for every DNS name (253 characters).
 */
const nameInKey = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,299}$/;

function isDocumentOf(kinds: readonly string[], key: string): boolean {
  const end = key.indexOf('/') + 1;
  return kinds.includes(key.slice(0, end)) && nameInKey.test(key.slice(end));
}

export function isFollowed(key: string): boolean {
  return isDocumentOf(followed, key);
}

const restorable = ['certificates/', 'accounts/'] as const;

/** Documents that another replica may give back to a registry that was lost. */
export function isRestorable(key: string): boolean {
  return isDocumentOf(restorable, key);
}

export const documentKeys = {
  account: (issuer: string) => `accounts/${issuer}`,
  certificate: (id: string) => `certificates/${id}`,
  renewal: (id: string) => `renewals/${id}`,
  name: (name: string) => `names/${keyPartOf(name)}`,
  order: (id: string) => `orders/${id}`,
  budget: (issuer: string) => `budgets/${issuer}`,
  lateReplicas: 'notices/late-replicas',
  clock: (issuer: string) => `notices/clock-${issuer}`,
} as const;

/** One certificate's name in keys, the same for the same names: its first name, and a digest where there are more. */
export function certificateIdOf(names: readonly string[]): string {
  const [first = '', ...others] = names.toSorted();
  if (others.length === 0) return keyPartOf(first);
  const digest = createHash('sha256')
    .update([first, ...others].join('\n'))
    .digest('hex')
    .slice(0, 8);
  return `${keyPartOf(first)}-${digest}`;
}

/** What the head holds for a document, to see whether it changed. */
export function digestOf(value: string): string {
  return createHash('sha256').update(value).digest('base64url').slice(0, 12);
}
