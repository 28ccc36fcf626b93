import { SwarmgateError } from '@swarmgate/runtime';

/**
 * No connection to an endpoint: it did not accept in time, or refused or reset it. `out-of-descriptors`: this machine
 * could not open one, which is no failure of the endpoint.
 */
export class ConnectError extends SwarmgateError {
  declare readonly code: 'connect-timeout' | 'endpoint-unreachable' | 'out-of-descriptors';

  constructor(code: ConnectError['code'], message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
