import type { CallError } from './api.ts';
import type { ChangeResponse } from './types.ts';

/** What came of a change. `warning`: it is served, with problems or warnings. `late`: some replicas do not serve it yet. */
export interface ChangeOutcome {
  readonly kind: 'ok' | 'warning' | 'late' | 'error';
  readonly text: string;
  /** Names of the replicas that are late. */
  readonly late?: readonly string[];
  /** It was refused because there is no login, or it has ended: the way there is shown. */
  readonly needsLogin?: boolean;
}

export function refusedOutcome({ message, status }: CallError): ChangeOutcome {
  return { kind: 'error', text: message, needsLogin: status === 401 };
}

/** @param otherwise the text where the response has none */
export function outcomeOf(
  { Message, problems = [], warnings = [], waitingFor = [] }: ChangeResponse,
  otherwise: string,
): ChangeOutcome {
  const text = Message === undefined || Message === '' ? otherwise : Message;
  if (waitingFor.length > 0) return { kind: 'late', text, late: waitingFor };
  return { kind: problems.length + warnings.length > 0 ? 'warning' : 'ok', text };
}
