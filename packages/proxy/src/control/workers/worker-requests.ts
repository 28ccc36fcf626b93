import { type FaultOwner, guardPromise } from '@swarmgate/runtime';
import type { ServicesApart } from '../../exchange/services-apart.ts';
import type { Limiters } from '../../middleware/limits/limiters.ts';
import type { LiveWatches } from '../live/live-watches.ts';
import type { ServiceNumbers } from '../numbers/service-numbers.ts';
import type { ConnectionPlacement } from './connection-placement.ts';
import type { ConnectionSlots } from './connection-slots.ts';
import { isSocketHandle } from './handed-socket.ts';
import type { WorkerMessage } from './messages.ts';
import { leaseTokens } from './rate-tokens.ts';
import type { SharedEjections } from './shared-ejections.ts';
import type { SharedSemaphores } from './shared-semaphores.ts';
import type { WorkerFleet } from './worker-fleet.ts';
import type { WorkerProcess } from './worker-process.ts';

/** What the control process has for all of its workers. */
export interface SharedParts {
  readonly limiters: Limiters;
  readonly slots: ConnectionSlots<WorkerProcess>;
  readonly semaphores: SharedSemaphores<WorkerProcess>;
  readonly ejections: SharedEjections;
  readonly numbers: ServiceNumbers;
  readonly apart: ServicesApart;
  readonly watches: LiveWatches;
  readonly workers: number;
  /** Notifies the other replicas. */
  readonly onEjected: (endpointId: string) => void;
  readonly fleet: WorkerFleet;
  /** `undefined`: every worker keeps what it accepts. */
  readonly placement: ConnectionPlacement<WorkerProcess> | undefined;
  readonly owner: FaultOwner;
}

/** What workers request of the control process. */
export function responderToWorkers({
  limiters,
  slots,
  semaphores,
  ejections,
  numbers,
  apart,
  watches,
  workers,
  onEjected,
  fleet,
  placement,
  owner,
}: SharedParts) {
  return (worker: WorkerProcess, message: WorkerMessage, handle: unknown): void => {
    switch (message.kind) {
      case 'hand-over':
        if (isSocketHandle(handle)) placement?.handedOver(worker, { port: message.port, handle });
        return;
      case 'takes-connections':
        placement?.takes(worker);
        return;
      case 'take-tokens': {
        const { call, limit, key } = message;
        guardPromise(
          owner,
          leaseTokens(limiters, limit, key, workers).then((tokens) => worker.send({ kind: 'tokens', call, tokens })),
        );
        return;
      }
      case 'take-slots':
        // Its messages may come after its end, when its slots and permits have been taken back: these would stay taken.
        if (worker.state === 'ended') return;
        worker.send({ kind: 'slots', call: message.call, slots: slots.take(worker, message) });
        return;
      case 'give-slots':
        slots.give(worker, message);
        return;
      case 'acquire': {
        if (worker.state === 'ended') return;
        const { call, key, most } = message;
        worker.send({ kind: 'permit', call, permit: semaphores.acquire(worker, call, key, most) });
        return;
      }
      case 'release':
        semaphores.release(worker, message.call);
        return;
      case 'query-apart':
        worker.send({ kind: 'apart', service: message.service, isApart: apart.admit(message.service) });
        return;
      case 'live-requests':
        watches.take(message.id, message.batch);
        return;
      case 'numbers':
        numbers.add(message.delta);
        return;
      case 'ejected':
        ejections.add(message);
        fleet.broadcast(message, worker);
        onEjected(message.endpointId);
        return;
      default:
    }
  };
}
