import type { AutomaticCertificates } from '@swarmgate/acme';
import type { Registry, ReplicaPresence } from '@swarmgate/registry';
import type { Logger, Settings } from '@swarmgate/runtime';
import type { Registry as Metrics } from 'prom-client';
import type { LiveTraffic } from '../bus/cluster-bus.ts';
import type { StateSource } from '../live/state-source.ts';
import type { SharedTotals } from '../numbers/shared-totals.ts';
import type { Server } from '../serving/server.ts';
import type { Steps } from '../steps.ts';
import type { ServicesFollower } from '../watch/follow-services.ts';
import type { Changes } from './changes.ts';
import type { DatedProblemsByService } from './collect-problems.ts';
import type { LongResponses } from './long-responses.ts';
import type { CertificateView, StatusResponse } from './response-bodies.ts';

/** The parts of the proxy that the admin REST uses. */
export interface AdminParts {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly follower: ServicesFollower;
  readonly server: Server;
  readonly presence: ReplicaPresence;
  readonly changes: Changes;
  /** Absent where certificates come from files and secrets only. */
  readonly certificates?: SharedCertificateStore | undefined;
  /** Absent where no certificates are ordered. */
  readonly ordered?: Pick<AutomaticCertificates, 'ordered' | 'waiting' | 'renew' | 'adopt'> | undefined;
  readonly replica: { readonly name: string; readonly version: string; readonly since: string };
  /** What passes through a replica just now, where that is known. */
  readonly trafficOf: (replica: string) => LiveTraffic | undefined;
  /** What the other replicas counted. */
  readonly totals: Pick<SharedTotals, 'others'>;
  readonly problems: () => Steps<DatedProblemsByService>;
  readonly long: LongResponses;
  /** The state for `GET /v1/events`, with the figures of this replica or of all. */
  readonly feeds: Readonly<Record<'replica' | 'all', StateSource>>;
  /** Whether the admin port speaks TLS, and whether tokens passed a network without. */
  readonly transport: {
    readonly secure: boolean;
    readonly plainTokens: { last(): StatusResponse['tokenInPlain']; note(from: string): void };
  };
  /** Has its first table and is not draining. */
  readonly ready: () => boolean;
  readonly draining: () => boolean;
}

/** What a certificate store does for the REST. Private keys go in and never come out. */
export interface SharedCertificateStore {
  list(): readonly CertificateView[];
  /** Keeps a certificate with its key for all replicas. What is wrong with it comes back, nothing is thrown. */
  put(
    name: string,
    pem: string,
    by: string,
  ): Promise<{ readonly ok: true; readonly message: string } | { readonly ok: false; readonly message: string }>;
}
