import type { EndpointHealth } from '../../endpoints/endpoint-health.ts';
import type { NumbersDelta } from '../../exchange/numbers/exchange-recorder.ts';
import type { AskedServices } from '../../exchange/services-apart.ts';
import type { Limiters } from '../../middleware/limits/limiters.ts';
import type { ChallengeAnswers } from '../../model/challenge-answers.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { ServicesChange } from '../../model/served-service.ts';
import type { Admission } from '../../server/connection-limits.ts';
import type { CertificateStore } from '../../server/tls/certificate-store.ts';
import type { TicketKeys } from '../../server/tls/ticket-keys.ts';
import type { LiveBatch } from '../live/live-tail.ts';

/** What a worker does not have of its own: its control process has it for all workers of the proxy together. */
export interface WorkerDependencies {
  /** In force before the ports open, so that a worker never answers for a table it does not have yet. */
  readonly before: AsyncIterable<Pick<ServicesChange, 'revision' | 'changes'>>;
  readonly limiters: Limiters;
  readonly admission: Admission;
  /** Kept filled by the control process, which alone reads files and opens what is sealed. */
  readonly certificates: CertificateStore;
  /** As `certificates`. */
  readonly challenges: ChallengeAnswers;
  readonly ticketKeys: TicketKeys;
  /** An endpoint was ejected here; passed to the other workers. */
  readonly onEjected: (endpoint: Endpoint, health: EndpointHealth) => void;
  /** Whether `/metrics` shows a service apart, for all workers alike. */
  readonly apart: Pick<AskedServices, 'isApart' | 'forget'>;
  /** What was counted here since the last call, for the numbers of the proxy. */
  readonly onNumbers: (delta: NumbersDelta) => void;
  readonly onLiveRequests: (id: number, batch: LiveBatch) => void;
}
