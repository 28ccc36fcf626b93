import type { Logger } from '@swarmgate/runtime';
import { ConnectionPool } from '../../transport/connection-pool.ts';
import { DeadlineSweep } from '../../transport/deadline-sweep.ts';
import { callService, type ServiceCallContext, type ServiceCallOptions, type WholeResponse } from './service-call.ts';

/** The balancer as middleware uses it: exactly one `finished` for each pick of an endpoint. */
export type EndpointChoice = Pick<ServiceCallContext, 'pick' | 'finished'>;

export interface ServiceCallsOptions extends EndpointChoice {
  readonly logger: Logger;
  /** Until a connection is open, in milliseconds. */
  readonly connectMs: number;
}

// Calls of middleware are short; more of them than this at once means that the service does not keep up.
const mostAtOnce = 256;
const mostWaiting = 1_024;

/** Requests that middleware of one process makes itself. Its pool is made with the first one. */
export class ServiceCalls {
  readonly #options: ServiceCallsOptions;
  #pool: ConnectionPool | undefined;

  constructor(options: ServiceCallsOptions) {
    this.#options = options;
  }

  /** Rejects with `ServiceCallError`. */
  call(options: ServiceCallOptions): Promise<WholeResponse> {
    const { pick, finished, logger, connectMs } = this.#options;
    this.#pool ??= new ConnectionPool(
      new DeadlineSweep(),
      { perEndpoint: mostAtOnce, queued: mostWaiting, connectMs },
      undefined,
      undefined,
      (error) => logger.error({ err: error }, 'a connection of a middleware failed'),
    );
    return callService({ pool: this.#pool, pick, finished }, options);
  }

  stop(): void {
    this.#pool?.stop();
  }
}
