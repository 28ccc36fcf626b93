import type { Socket } from 'node:net';
import type { Tasks } from '@swarmgate/runtime';
import type { EndpointHealth } from '../../endpoints/endpoint-health.ts';
import type { NumbersDelta } from '../../exchange/numbers/exchange-recorder.ts';
import type { RequestedServices } from '../../exchange/services-apart.ts';
import type { SuspendedNames } from '../../express/plugins/suspended-names.ts';
import type { Limiters } from '../../middleware/limits/limiters.ts';
import type { Semaphores } from '../../middleware/limits/semaphores.ts';
import type { ChallengeResponses } from '../../model/challenge-responses.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { ServicesChange } from '../../model/served-service.ts';
import type { Admission } from '../../server/connection-limits.ts';
import type { ConnectionCounter } from '../../server/descriptor-budget.ts';
import type { CertificateStore } from '../../server/tls/certificate-store.ts';
import type { TicketKeys } from '../../server/tls/ticket-keys.ts';
import type { LiveBatch } from '../live/live-tail.ts';
import type { ServiceNumbers } from '../numbers/service-numbers.ts';

/** See `ServingDependencies`. */
export interface ConnectionShare extends ConnectionCounter {
  /** `false`: another process serves the connection. */
  keeps(socket: Socket, port: number): boolean;
}

/**
 * What a process that serves requests does not make itself, because a proxy has it once however many processes serve.
 * `ownDependencies` fills it in a proxy of one process, `workerDependencies` in a worker, where the control process has it
 * for all workers.
 */
export interface ServingDependencies {
  /**
   * No other process serves for this proxy: health checks are made and unusable addresses are looked for here. A worker is
   notified instead, because services are checked once for each proxy and not once for each worker.
   */
  readonly alone: boolean;
  /** Runs what belongs to no request. */
  readonly tasks: Tasks;
  /** In force before the ports open, so that a worker never responds by a table that it does not have yet. */
  readonly before: AsyncIterable<Pick<ServicesChange, 'revision' | 'changes'>>;
  readonly limiters: Limiters;
  readonly semaphores: Semaphores;
  readonly admission: Admission;
  /** Gives connections that are more than this worker's share to others. `undefined`: no other process accepts them. */
  readonly share: ConnectionShare | undefined;
  /** Kept filled by its owner, which alone reads files and opens what is sealed. */
  readonly certificates: CertificateStore;
  /** As `certificates`. */
  readonly challenges: ChallengeResponses;
  /** PEM of `CA_FILE`; `undefined`: no client certificates are requested. */
  readonly clientAuthorities: string | undefined;
  /** `undefined`: keys of this process alone. */
  readonly ticketKeys: TicketKeys | undefined;
  /** Requests, or active checks, showed that an endpoint fails. */
  readonly onEjected: (endpoint: Endpoint, health: EndpointHealth) => void;
  /** Whether `/metrics` shows a service apart, for all processes of the proxy alike. */
  readonly apart: Pick<RequestedServices, 'isApart' | 'forget'>;
  /** What was counted here since the last call, for the numbers of the proxy. */
  readonly onNumbers: (delta: NumbersDelta) => void;
  /** Closes windows on time, where this process has the numbers. */
  readonly numbers: ServiceNumbers;
  /** Descriptor that the control process reads: takes reports of a plug-in that blocks this process. `undefined`: it has none. */
  readonly blockReportFd: number | undefined;
  readonly suspendedPlugins: SuspendedNames;
  readonly onLiveRequests: (id: number, batch: LiveBatch) => void;
}
