import type { Registry, ReplicaPresence } from '@swarmgate/registry';
import type { Logger, Settings } from '@swarmgate/runtime';
import type { Registry as Metrics } from 'prom-client';
import type { LiveTraffic } from '../bus/cluster-bus.ts';
import type { ServingPlane } from '../serving/server.ts';
import type { ServicesFollower } from '../watch/follow-services.ts';
import type { CertificateStore } from './certificate-routes.ts';
import type { Changes } from './changes.ts';
import type { ProblemsByService } from './collect-problems.ts';

/** All that the admin REST knows of the proxy around it. */
export interface AdminParts {
  readonly settings: Settings;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly follower: ServicesFollower;
  readonly plane: ServingPlane;
  readonly presence: ReplicaPresence;
  readonly changes: Changes;
  /** Absent where certificates come from files and secrets only. */
  readonly certificates?: CertificateStore | undefined;
  readonly replica: { readonly name: string; readonly version: string; readonly since: string };
  /** What passes through a replica just now, where that is known. */
  readonly trafficOf: (replica: string) => LiveTraffic | undefined;
  readonly problems: () => ProblemsByService;
  /** Has its first table and is not draining. */
  readonly ready: () => boolean;
  readonly draining: () => boolean;
}
