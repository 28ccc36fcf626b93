import type { EndpointOutcome } from '../model/endpoint.ts';
import type { ConnectionFault } from '../transport/endpoint-channel.ts';
import type { ForwardFailure } from './forward-failure.ts';

/** Methods that may be sent twice (RFC 9110, section 9.2.2; QUERY: RFC 10008). */
export const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY']);

/** The endpoint has not received the request, or has reported it as unprocessed. */
export const unsentKinds: ReadonlySet<ConnectionFault['kind']> = new Set([
  'refused',
  'connect-timeout',
  'local-shortage',
  'unprocessed',
  'wrong-protocol',
]);

export function outcomeOf(fault: ConnectionFault): EndpointOutcome {
  switch (fault.kind) {
    case 'refused':
      return 'refused';
    case 'local-shortage':
      return 'abandoned';
    case 'connect-timeout':
    case 'silent':
      return 'timed-out';
    case 'unprocessed':
    case 'no-upgrades':
      return 'abandoned';
    default:
      return 'broken';
  }
}

export function failureOf(fault: ConnectionFault): ForwardFailure {
  switch (fault.kind) {
    case 'connect-timeout':
      return 'connect-timeout';
    case 'local-shortage':
      return 'out-of-descriptors';
    case 'silent':
      return 'head-timeout';
    case 'invalid':
      return 'endpoint-answer-invalid';
    case 'wrong-protocol':
      return 'wrong-protocol';
    case 'no-upgrades':
      return 'upgrade-not-supported';
    default:
      return 'endpoint-unreachable';
  }
}
