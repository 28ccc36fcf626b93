import { SwarmgateError } from '@swarmgate/runtime';

export type RegistryErrorCode =
  /** Nothing is known: keep what you have and try again. */
  | 'registry-unreachable'
  /** The token is missing, lost or too weak: what is known stays, and the operator is notified. */
  | 'registry-denied'
  /** The store will not take it, however often it is tried. */
  | 'registry-refused'
  /** Another writer came in between: read again and plan again. */
  | 'registry-conflict'
  /** We are not the leader any more: stop writing. */
  | 'leadership-lost'
  /** Another process has the embedded registry open; the message names it. */
  | 'registry-held';

export class RegistryError extends SwarmgateError {
  declare readonly code: RegistryErrorCode;

  static of(code: RegistryErrorCode, message: string, cause?: unknown): RegistryError {
    return new RegistryError(code, message, cause === undefined ? undefined : { cause });
  }
}
