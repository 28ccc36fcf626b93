import { messageOf, SwarmgateError } from '@swarmgate/runtime';

export type SwarmErrorCode =
  /** No answer, or a refused or broken connection: keep what is known and try again. */
  | 'docker-unreachable'
  /** The engine answers, but is not a manager of a Swarm that has a leader. */
  | 'swarm-unavailable'
  /** An answer that is not what Docker's API promises. */
  | 'docker-answer-unusable';

export class SwarmError extends SwarmgateError {
  declare readonly code: SwarmErrorCode;
}

/** Sorts whatever dockerode threw. `tried` completes the sentence "cannot …". */
export function toSwarmError(thrown: unknown, tried: string): SwarmError {
  if (thrown instanceof SwarmError) return thrown;
  const code = statusOf(thrown) === undefined ? 'docker-unreachable' : 'swarm-unavailable';
  return new SwarmError(code, `cannot ${tried}: ${messageOf(thrown)}`, { cause: thrown });
}

/** The HTTP status of Docker's answer, if there was one. */
export function statusOf(thrown: unknown): number | undefined {
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}
