import type { KeyValueStore, ReplicaPresence, SecretsKey } from '@swarmgate/registry';
import type { ExternalAccount, Logger } from '@swarmgate/runtime';
import type { DnsProviders } from '../challenges/dns-providers.ts';
import type { RequiredName } from '../names/select-names.ts';
import type { Issuer } from '../orders/issuers.ts';
import type { AcmeKeys } from '../storage/acme-keys.ts';

export interface OrdererOptions {
  readonly store: KeyValueStore;
  readonly keys: AcmeKeys;
  readonly replica: string;
  readonly secretsKeys: readonly [SecretsKey, ...SecretsKey[]];
  /** `ACME_DIRECTORY` in its order, with all that labels may name. */
  readonly issuers: readonly Issuer[];
  readonly email?: string | undefined;
  readonly externalAccountOf?: (issuer: Issuer) => ExternalAccount | undefined;
  /** PEM of `ACME_CA_FILE`. */
  readonly ca?: string | undefined;
  readonly userAgent: string;
  readonly dns: DnsProviders;
  readonly resolvers: readonly string[];
  /** Names that the present routes need; called whenever something is planned. */
  readonly required: () => readonly RequiredName[];
  readonly presence: Pick<ReplicaPresence, 'waitUntil'>;
  readonly events: OrdererEvents;
  readonly logger: Logger;
  /** How long replicas may take to confirm a response before the CA is notified anyway, in milliseconds. Default 15,000. */
  readonly barrierMs?: number;
  /** After the registry was made new: how long others may give back what it lost, in milliseconds. Default 5,000. */
  readonly restoreMs?: number;
  /** Default `Date.now`. */
  readonly now?: () => number;
  /** From 0 to 1. Default `Math.random`. */
  readonly random?: () => number;
  readonly lockTtlMs?: number;
}

/** What metrics count. Issuers by their names. */
export interface OrdererEvents {
  orderBegun(issuer: string): void;
  orderEnded(issuer: string, result: 'issued' | 'rehearsed' | 'interrupted' | { readonly failure: string }): void;
}
