import { nameKind, normalName } from '../names/name-kind.ts';
import type { ChallengeKind } from '../names/select-names.ts';
import { type AcmeProblem, problemOf } from '../protocol/acme-error.ts';
import type { Authorization, Challenge, Order } from '../protocol/resources.ts';

/** A challenge whose response is to be published. */
export interface Proof {
  /** The identifier: for a wildcard the name without `*.` */
  readonly name: string;
  readonly url: string;
  readonly token: string;
}

/**
 * What to do next with an order. It follows from the CA's state of the order and its authorizations alone, so another
 * replica continues an order where the last one stopped.
 */
export type Step =
  /** Publish the responses, wait for the replicas, then notify the CA. */
  | { readonly kind: 'prove'; readonly proofs: readonly Proof[] }
  | { readonly kind: 'wait' }
  | { readonly kind: 'finalize'; readonly url: string }
  | { readonly kind: 'download'; readonly url: string }
  /** The order is over; `failures` has the names whose authorization failed, and why. */
  | { readonly kind: 'failed'; readonly failures: ReadonlyMap<string, AcmeProblem>; readonly problem: AcmeProblem };

const noReason: AcmeProblem = { type: 'serverInternal', detail: 'the CA gave no reason', subproblems: [] };

export interface StepInput {
  /** What was ordered. */
  readonly names: readonly string[];
  readonly challenge: ChallengeKind;
  /** URLs of the challenges that the CA was notified of already. */
  readonly reported: ReadonlySet<string>;
}

export function nextStep(
  order: Order,
  authorizations: readonly Authorization[],
  { names, challenge, reported }: StepInput,
): Step {
  const foreign = authorizations.find((each) => each.status !== 'valid' && !isOrdered(each, names));
  if (foreign !== undefined) return refused(`the CA requires a proof of ${nameOf(foreign)}, which was not ordered`);
  const failures = new Map<string, AcmeProblem>();
  for (const each of authorizations) {
    const problem = failureOf(each, challenge);
    if (problem !== undefined) failures.set(nameOf(each), problem);
  }
  if (order.status === 'invalid' || failures.size > 0) {
    const problem = problemOf(order.error) ?? [...failures.values()][0] ?? noReason;
    return { kind: 'failed', failures: withSubproblems(failures, problem), problem };
  }
  if (order.status === 'valid')
    return order.certificate === undefined ? { kind: 'wait' } : { kind: 'download', url: order.certificate };
  if (order.status === 'ready') return { kind: 'finalize', url: order.finalize };
  if (order.status === 'processing') return { kind: 'wait' };
  const proofs = authorizations
    .filter(({ status }) => status === 'pending')
    .flatMap((each) => {
      const found = each.challenges.find(({ type }) => type === challenge);
      if (found?.token === undefined || found.status !== 'pending' || reported.has(found.url)) return [];
      return [{ name: normalName(each.identifier.value), url: found.url, token: found.token }];
    });
  return proofs.length > 0 ? { kind: 'prove', proofs } : { kind: 'wait' };
}

/** The name as it was ordered. */
export function nameOf({ identifier, wildcard }: Authorization): string {
  const name = normalName(identifier.value);
  return wildcard ? `*.${name}` : name;
}

/**
 * Whether it is for a name of the order. Nothing is published for another one: a CA could have responses put into zones
 * and hosts that have nothing to do with the order. One that is valid already needs nothing.
 */
export function isOrdered(authorization: Authorization, names: readonly string[]): boolean {
  const name = nameOf(authorization);
  return names.includes(name) && (nameKind(name) === 'ip') === (authorization.identifier.type === 'ip');
}

/** An order to which the CA responds with something that RFC 8555 does not allow: all of its names wait. */
export function refused(detail: string): Extract<Step, { readonly kind: 'failed' }> {
  return { kind: 'failed', failures: new Map(), problem: { type: 'serverInternal', detail, subproblems: [] } };
}

function failureOf(authorization: Authorization, challenge: ChallengeKind): AcmeProblem | undefined {
  const { status, challenges } = authorization;
  if (status === 'valid') return undefined;
  if (status === 'pending') {
    if (challenges.some(({ type }) => type === challenge)) return undefined;
    const offered = challenges.map(({ type }) => type).join(', ');
    return { type: 'rejectedIdentifier', detail: `the CA offers ${offered} and not ${challenge}`, subproblems: [] };
  }
  return failedChallenge(challenges) ?? { ...noReason, detail: `the authorization is ${status}` };
}

function failedChallenge(challenges: readonly Challenge[]): AcmeProblem | undefined {
  return problemOf(challenges.find(({ error }) => error !== undefined)?.error);
}

/** Subproblems name identifiers that no authorization shows as failed: a CAA record is read when the order is finalized. */
function withSubproblems(failures: Map<string, AcmeProblem>, problem: AcmeProblem): Map<string, AcmeProblem> {
  for (const [name, of] of problemsByName(problem)) if (!failures.has(name)) failures.set(name, of);
  return failures;
}

export function problemsByName(problem: AcmeProblem): ReadonlyMap<string, AcmeProblem> {
  const named = new Map<string, AcmeProblem>();
  for (const { name, type, detail } of problem.subproblems)
    if (name !== undefined) named.set(name, { type, detail, subproblems: [] });
  return named;
}
