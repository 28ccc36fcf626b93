import type { Logger, Tasks } from '@swarmgate/runtime';
import { trustedProxies } from '../../exchange/client-connection.ts';
import { RequestedServices } from '../../exchange/services-apart.ts';
import { SuspendedNames } from '../../express/plugins/suspended-names.ts';
import { createLimiters } from '../../middleware/limits/limiters.ts';
import { CertificateStore } from '../../server/tls/certificate-store.ts';
import { LiveChallenges } from '../../server/tls/live-challenges.ts';
import { ServiceNumbers } from '../numbers/service-numbers.ts';
import type { ServingDependencies } from '../serving/serving-dependencies.ts';
import { ConnectionCounts } from './connection-counts.ts';
import { ConnectionShare } from './connection-share.ts';
import { batchOfSlots } from './connection-slots.ts';
import type { ControlLink } from './control-link.ts';
import { LeasedConnections } from './leased-connections.ts';
import { createLeasedLimiters } from './leased-limiters.ts';
import { LeasedSemaphores } from './leased-semaphores.ts';
import type { StartMessage } from './messages.ts';
import { RotatingTicketKeys } from './rotating-ticket-keys.ts';
import type { UpdateQueue } from './update-queue.ts';

/** What the control process has for all workers, as one worker gets it: filled by messages over the link. */
export interface WorkerDependencies extends ServingDependencies {
  readonly challenges: LiveChallenges;
  readonly ticketKeys: RotatingTicketKeys;
  readonly apart: RequestedServices;
  readonly updates: UpdateQueue;
  readonly share: ConnectionShare | undefined;
}

// The control process is on this machine and does little: a response that is not here by then will not be soon.
const responseWaitMs = 1_000;

/** Makes the dependencies of a worker. @throws RangeError for a wrong `TRUSTED_PROXIES` */
export function workerDependencies(
  start: StartMessage,
  link: ControlLink,
  updates: UpdateQueue,
  logger: Logger,
  tasks: Tasks,
): WorkerDependencies {
  const { settings, workers, clientAuthorities } = start;
  const slotsOwner = tasks.owner('connection-limits');
  return {
    alone: false,
    blockReportFd: start.blockReportFd,
    suspendedPlugins: new SuspendedNames(),
    tasks,
    before: thenCompacted(updates.before()),
    updates,
    limiters: createLeasedLimiters({
      workers,
      alone: createLimiters({ redisUrl: undefined, instance: settings.instanceName, logger }),
      lease: async (limit, key) => {
        const response = await link.call((call) => ({ kind: 'take-tokens', call, limit, key }), responseWaitMs);
        return response?.kind === 'tokens' ? response.tokens : undefined;
      },
    }),
    share: connectionShare(start, link, tasks),
    semaphores: new LeasedSemaphores({
      workers,
      acquire: async (key, most) => {
        let call = 0;
        const response = await link.call((given) => {
          call = given;
          return { kind: 'acquire', call, key, most };
        }, responseWaitMs);
        return response?.kind === 'permit' ? { call, permit: response.permit } : { call };
      },
      release: (call) => link.post({ kind: 'release', call }),
    }),
    admission: new LeasedConnections({
      most: settings.maxConnections,
      mostPerAddress: settings.maxConnectionsPerAddress,
      batch: batchOfSlots(settings.maxConnections, workers),
      workers,
      exempt: trustedProxies(settings.trustedProxies),
      take: async (requested) => {
        const response = await link.call(
          (call) => ({ kind: 'take-slots', call, ...requested }),
          responseWaitMs,
          // Slots that no connection has would be lost until this worker ends, and a full table refuses every client.
          (late) => {
            const isGranted =
              late.kind === 'slots' && late.slots !== undefined && (late.slots > 0 || requested.count === 0);
            if (isGranted) link.post({ kind: 'give-slots', count: late.slots, address: requested.address });
          },
        );
        return response?.kind === 'slots' ? response : undefined;
      },
      give: (returned) => link.post({ kind: 'give-slots', ...returned }),
      owner: slotsOwner,
    }),
    certificates: new CertificateStore(settings.defaultCert),
    challenges: new LiveChallenges(),
    clientAuthorities,
    ticketKeys: new RotatingTicketKeys(),
    onEjected: ({ id }, health) => {
      if (health.kind !== 'ejected') return;
      const forMs = Math.max(0, health.untilMs - performance.now());
      link.post({ kind: 'ejected', endpointId: id, forMs, ejections: health.ejections });
    },
    apart: new RequestedServices((service) => link.post({ kind: 'query-apart', service })),
    onNumbers: (delta) => link.post({ kind: 'numbers', delta }),
    numbers: new ServiceNumbers(),
    onLiveRequests: (id, batch) => link.post({ kind: 'live-requests', id, batch }),
  };
}

function connectionShare({ connections }: StartMessage, link: ControlLink, tasks: Tasks): ConnectionShare | undefined {
  if (connections === undefined) return undefined;
  const { fd, places, own } = connections;
  const owner = tasks.owner('connection-shares');
  return new ConnectionShare({
    counts: new ConnectionCounts(fd, places, owner),
    place: own,
    handOver: (socket, port) => link.handOver(socket, port),
    owner,
  });
}

/** Loading leaves behind as much again as it keeps. Given back now, because no request waits for this worker yet. */
async function* thenCompacted<T>(loaded: AsyncIterable<T>): AsyncGenerator<T> {
  yield* loaded;
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
