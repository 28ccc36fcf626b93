import type { SecretsKey } from '@swarmgate/registry';
import { readRegularFile, type Tasks } from '@swarmgate/runtime';
import { trustedProxies } from '../../exchange/client-connection.ts';
import { ServicesApart } from '../../exchange/services-apart.ts';
import { SuspendedNames } from '../../express/plugins/suspended-names.ts';
import { createLimiters } from '../../middleware/limits/limiters.ts';
import { LocalSemaphores } from '../../middleware/limits/semaphores.ts';
import type { ServicesChange } from '../../model/served-service.ts';
import { ConnectionLimits } from '../../server/connection-limits.ts';
import type { EntrypointToOpen } from '../../server/entrypoints.ts';
import { LiveChallenges } from '../../server/tls/live-challenges.ts';
import { OwnCertificates } from '../../server/tls/own-certificates.ts';
import { LiveWatches } from '../live/live-watches.ts';
import { ServiceNumbers } from '../numbers/service-numbers.ts';
import type { RequestServerOptions } from './request-server.ts';
import type { ServingDependencies } from './serving-dependencies.ts';

export interface OwnServingOptions extends RequestServerOptions {
  /** Of `SECRETS_KEY`: opens `serviceCert`. Default none. */
  readonly secretsKeys?: readonly SecretsKey[];
  /** For tests: those of another clock. */
  readonly numbers?: ServiceNumbers;
}

/** What a proxy of one process has of its own. */
export interface OwnDependencies extends ServingDependencies {
  readonly challenges: LiveChallenges;
  readonly ownCertificates: OwnCertificates;
  readonly watches: LiveWatches;
  readonly ejectionListeners: Set<(endpointId: string) => void>;
}

/** Makes the dependencies of a process that serves alone. @throws RangeError for a wrong `TRUSTED_PROXIES` */
export async function ownDependencies(options: OwnServingOptions, tasks: Tasks): Promise<OwnDependencies> {
  const { settings, logger } = options;
  const clientAuthorities = settings.caFile === undefined ? undefined : await readRegularFile(settings.caFile);
  const exempt = trustedProxies(settings.trustedProxies);
  const ownCertificates = await openCertificates(options, clientAuthorities);
  const { maxConnections: most, maxConnectionsPerAddress: mostPerAddress } = settings;
  const apart = new ServicesApart(settings.metricsServices);
  const numbers = options.numbers ?? new ServiceNumbers();
  const watches = new LiveWatches();
  const ejectionListeners = new Set<(endpointId: string) => void>();
  return {
    alone: true,
    blockReportFd: undefined,
    suspendedPlugins: new SuspendedNames(),
    tasks,
    before: nothing(),
    limiters: createLimiters({ redisUrl: settings.redisUrl, instance: settings.instanceName, logger }),
    semaphores: new LocalSemaphores(),
    admission: new ConnectionLimits({ most, mostPerAddress, exempt }),
    share: undefined,
    certificates: ownCertificates.store,
    challenges: new LiveChallenges(),
    clientAuthorities,
    ticketKeys: undefined,
    onEjected: ({ id }, { kind }) => {
      // What an active check found, every replica finds by its own.
      if (kind === 'ejected') for (const listener of ejectionListeners) listener(id);
    },
    apart: {
      isApart: (service) => apart.admit(service),
      forget: (isServed) => apart.forget(isServed),
    },
    onNumbers: (delta) => numbers.add(delta),
    numbers,
    onLiveRequests: (id, batch) => watches.take(id, batch),
    ownCertificates,
    watches,
    ejectionListeners,
  };
}

/** Certificates of files, settings and services, for the secure ones of these ports. */
export function openCertificates(
  {
    settings,
    secretsKeys = [],
    logger,
    entrypoints,
  }: Pick<OwnServingOptions, 'settings' | 'secretsKeys' | 'logger' | 'entrypoints'>,
  clientAuthorities: string | undefined,
): Promise<OwnCertificates> {
  const ports: readonly EntrypointToOpen[] = entrypoints ?? [...settings.defaultPorts, ...settings.bindPorts];
  const secure = ports.some((port) => port.secure);
  return OwnCertificates.open({ settings, keys: secretsKeys, secure, clientAuthorities, logger });
}

async function* nothing(): AsyncGenerator<Pick<ServicesChange, 'revision' | 'changes'>> {
  // A process that serves alone opens its ports with the first change.
}
