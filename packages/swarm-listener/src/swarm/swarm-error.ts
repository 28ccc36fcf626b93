import { messageOf, SwarmgateError } from '@swarmgate/runtime';

export type SwarmErrorCode =
  /** No response, or a refused or broken connection: keep the last view and retry. */
  | 'docker-unreachable'
  /** The engine responds, but is not a manager of a Swarm that has a leader. */
  | 'swarm-unavailable'
  /** A response that does not conform to Docker's API. */
  | 'docker-answer-unusable';

export class SwarmError extends SwarmgateError {
  declare readonly code: SwarmErrorCode;
}

/** Classifies what dockerode threw. `tried` completes the sentence "cannot …". */
export function toSwarmError(thrown: unknown, tried: string): SwarmError {
  if (thrown instanceof SwarmError) return thrown;
  const code = statusOf(thrown) === undefined ? 'docker-unreachable' : 'swarm-unavailable';
  return new SwarmError(code, `cannot ${tried}: ${messageOf(thrown)}`, { cause: thrown });
}

/** The HTTP status of Docker's response; `undefined` if there was none. */
export function statusOf(thrown: unknown): number | undefined {
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}
