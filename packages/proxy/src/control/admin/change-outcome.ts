import { type Problem, RegistryError, type ServiceDefinition } from '@swarmgate/registry';
import { messageOf } from '@swarmgate/runtime';
import { inParameterNames } from './parameter-names.ts';
import type { ChangeResponse } from './response-bodies.ts';

/** What came of a change by REST. */
export type ChangeOutcome =
  | {
      readonly kind: 'done';
      readonly message: string;
      readonly definition?: ServiceDefinition;
      /** Warnings: what was left aside, a conflict that the change loses. */
      readonly problems?: readonly Problem[];
      /** What works otherwise than the caller may expect; the message holds it too. */
      readonly warnings?: readonly string[];
      readonly barrier?: Barrier;
    }
  | { readonly kind: 'rejected'; readonly problems: readonly Problem[] }
  | { readonly kind: 'refused'; readonly status: 400 | 404 | 409; readonly message: string }
  /** Nothing was kept, or the message states that this is not known. */
  | { readonly kind: 'failed'; readonly message: string };

/** How far a change has come: which replicas serve it. */
export interface Barrier {
  readonly sequence: number;
  readonly serving: readonly string[];
  readonly waitingFor: readonly string[];
}

export function describeBarrier({ serving, waitingFor }: Barrier): string {
  if (waitingFor.length === 0) return 'Distributed to all instances';
  const all = serving.length + waitingFor.length;
  return `Distributed to ${serving.length} of ${all} instances, waiting for ${waitingFor.join(', ')}`;
}

/**
 * Docker Flow checks the name first (400), then whether anything matches (409), then the port (400). Clients of its REST
 * compare the status, so what is wrong besides does not change it.
 */
function statusOf(errors: readonly Problem[]): 400 | 409 {
  const has = (reason: string) => errors.some((error) => error.reason === reason);
  return has('match-missing') && !has('service-name-missing') ? 409 : 400;
}

export function responseOf(outcome: ChangeOutcome): { readonly status: number; readonly body: ChangeResponse } {
  if (outcome.kind === 'done') {
    const { message, barrier, warnings } = outcome;
    const problems = outcome.problems?.map(inParameterNames);
    const body = {
      Status: 'OK' as const,
      Message: message,
      ...barrier,
      ...(problems?.length ? { problems } : {}),
      ...(warnings?.length ? { warnings } : {}),
    };
    return { status: 200, body };
  }
  if (outcome.kind === 'rejected') {
    const problems = outcome.problems.map(inParameterNames);
    const errors = problems.filter(({ severity }) => severity === 'error');
    return {
      status: statusOf(errors),
      body: { Status: 'NOK', Message: sentenceOf(errors), problems },
    };
  }
  const status = outcome.kind === 'refused' ? outcome.status : 503;
  return { status, body: { Status: 'NOK', Message: outcome.message } };
}

/** A document may be wrong in thousands of places; `problems` holds them all. */
const mostMessages = 5;

function sentenceOf(errors: readonly Problem[]): string {
  const said = errors.slice(0, mostMessages).map(({ message }) => message);
  const left = errors.length - said.length;
  return [...said, ...(left > 0 ? [`and ${left} more`] : [])].join('; ');
}

/** What a failed write means to the caller. @throws whatever is no RegistryError */
export function outcomeOfError(error: unknown): ChangeOutcome {
  // A disk or a Consul that hangs may still carry the change out.
  if (isTimeout(error))
    return {
      kind: 'failed',
      message:
        'the registry did not respond in time: whether the change is kept will show in GET /v1/services; try again',
    };
  if (!(error instanceof RegistryError)) throw error;
  if (error.code === 'registry-refused')
    return { kind: 'refused', status: 400, message: `the registry refuses it: ${messageOf(error)}` };
  if (error.code === 'registry-conflict')
    return {
      kind: 'refused',
      status: 409,
      message: 'another writer changes this service at the same time; nothing was kept: try again',
    };
  return { kind: 'failed', message: `${messageOf(error)}; nothing was kept` };
}

/** The reason of an `AbortSignal.timeout`. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}
