import { SwarmgateError } from '@swarmgate/runtime';
import type { AttemptFailure } from '../forwarding/forwarder.ts';

/** An attempt that the proxy itself gave up. */
export class AttemptError extends SwarmgateError {
  declare readonly code: AttemptFailure;

  constructor(code: AttemptFailure, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** What an error from below means for the client: parser errors of node:http have codes that begin with HPE_. */
export function reasonOf(error: Error): AttemptFailure {
  if (error instanceof AttemptError) return error.code;
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_') && code !== 'HPE_CLOSED_CONNECTION') return 'endpoint-answer-invalid';
  return code === 'ETIMEDOUT' ? 'connect-timeout' : 'endpoint-unreachable';
}
