import { RegistryError } from '@swarmgate/registry';
import type { AcmeError, AcmeProblem } from '../protocol/acme-error.ts';

/** Errors that concern every order: the lock is lost, or the registry refuses. */
export function isOfAll(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || error instanceof RegistryError;
}

export function internalProblem(error: unknown): AcmeProblem {
  return { type: 'internal', detail: error instanceof Error ? error.message : String(error), subproblems: [] };
}

/**
 * The certificate was replaced already, is unknown to the CA or is of another account: RFC 9773, section 5, has a type for
 * the first alone, and CAs respond to the others as `malformed` or `unauthorized`. A problem of single names is another one.
 */
export function refusesReplaces({ code, problem }: AcmeError): boolean {
  if (code !== 'acme-refused' || problem === undefined || problem.subproblems.length > 0) return false;
  return ['alreadyReplaced', 'malformed', 'unauthorized'].includes(problem.type);
}
