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

export function isFollowed(key: string): boolean {
  return followed.some((prefix) => key.startsWith(prefix));
}

/** Documents that another replica may give back to a registry that was lost. */
export function isRestorable(key: string): boolean {
  return key.startsWith('certificates/') || key.startsWith('accounts/');
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
