import { SwarmgateError } from '@swarmgate/runtime';

/** No connection to an endpoint: it did not accept in time, or refused or reset it. */
export class ConnectError extends SwarmgateError {
  declare readonly code: 'connect-timeout' | 'endpoint-unreachable';

  constructor(code: ConnectError['code'], message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
