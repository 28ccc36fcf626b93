import { nameKind } from '../names/name-kind.ts';
import { countFailures, refund } from '../orders/budget.ts';
import type { Issuer } from '../orders/issuers.ts';
import type { AcmeProblem } from '../protocol/acme-error.ts';
import { documentKeys } from '../storage/acme-keys.ts';
import type { NameDocument, OrderDocument } from '../storage/documents.ts';
import { knownName, type OrderingContext } from './order-context.ts';
import {
  documentOfFailure,
  documentOfNoResponse,
  documentOfRehearsal,
  documentOfWait,
  documentsOfIssued,
  text,
} from './order-documents.ts';
import { internalProblem, isOfAll } from './order-faults.ts';
import type { OrderOutcome } from './run-order.ts';

/** What an order, or the try to begin one, is about. */
export type OrderSubject = Pick<OrderDocument, 'names' | 'services' | 'issuer' | 'challenge'>;

/** Writes what an order came to: one transaction with its document removed and its responses taken back. */
export async function settleOrder(
  order: OrderDocument,
  issuer: Issuer,
  outcome: OrderOutcome,
  privateKey: string,
  context: OrderingContext,
): Promise<void> {
  const { writer, access, budgets, events, logger } = context;
  const { names } = order;
  const nowMs = access.now(issuer);
  const documents = new Map<string, string | undefined>([[documentKeys.order(order.id), undefined]]);
  if (outcome.isUnissued) {
    const [key, value] = budgets.spend(issuer, refund(budgets.of(issuer), names, order.startedAtMs));
    documents.set(key, value);
  }
  if (outcome.kind === 'issued' && order.rehearsal) {
    for (const name of names) {
      const known = knownName(writer, name);
      if (known !== undefined) documents.set(documentKeys.name(name), text(documentOfRehearsal(known, nowMs)));
    }
    events.orderEnded(issuer.name, 'rehearsed');
    logger.info({ names, issuer: issuer.name }, 'the staging directory gave a certificate: ordering a real one');
  } else if (outcome.kind === 'issued') {
    for (const [key, value] of issued(order, issuer, outcome.chain, privateKey, context)) documents.set(key, value);
  } else if (outcome.kind === 'failed') {
    for (const [key, value] of failed(order, issuer, outcome, context)) documents.set(key, value);
  } else {
    if (outcome.reason === 'ca-away') events.orderEnded(issuer.name, 'interrupted');
    logger.info({ names, issuer: issuer.name, reason: outcome.reason, err: outcome.message }, 'an order was given up');
    if (outcome.reason === 'account-lost') await access.forgetAccount(issuer);
    // A CA that loses each order that it made is queried no more often than one that refuses it.
    const missed =
      outcome.reason === 'ca-away' ? pending(order, issuer, context) : failed(order, issuer, lost(outcome), context);
    for (const [key, value] of missed) documents.set(key, value);
  }
  await writer.write({ documents, removeResponsesOf: respondedNames(order) });
}

/** Names whose responses stand in the registry: those of a wildcard are records of its zone, and its domain is another name. */
export function respondedNames({ names, challenge }: OrderSubject): readonly string[] {
  return challenge === 'dns-01' ? [] : names.filter((name) => nameKind(name) !== 'wildcard');
}

function lost({ reason, message }: Extract<OrderOutcome, { readonly kind: 'interrupted' }>) {
  return {
    kind: 'failed' as const,
    failures: new Map<string, AcmeProblem>(),
    problem: { type: reason, detail: message, subproblems: [] },
  };
}

function issued(
  order: OrderDocument,
  issuer: Issuer,
  chain: string,
  privateKey: string,
  context: OrderingContext,
): ReadonlyMap<string, string | undefined> {
  const { names } = order;
  const { access, secretsKeys, events, logger, signal } = context;
  try {
    const { documents, certificate } = documentsOfIssued(order, chain, privateKey, secretsKeys, access.now(issuer));
    const { serial, notAfterMs } = certificate;
    events.orderEnded(issuer.name, 'issued');
    logger.info(
      { names, issuer: issuer.name, serial, notAfter: new Date(notAfterMs).toISOString() },
      'a certificate was issued',
    );
    return documents;
  } catch (error) {
    if (isOfAll(error, signal)) throw error;
    logger.error({ names, issuer: issuer.name, err: error }, 'a certificate that was issued cannot be taken over');
    return failed(order, issuer, { kind: 'failed', failures: new Map(), problem: internalProblem(error) }, context);
  }
}

/** The names that failed, each with its problem; without a hint which, all of them. */
export function failed(
  subject: OrderSubject,
  issuer: Issuer,
  outcome: Extract<OrderOutcome, { readonly kind: 'failed' }>,
  context: OrderingContext,
): Map<string, string> {
  const { writer, access, budgets, events, logger } = context;
  const nowMs = access.now(issuer);
  const failures: ReadonlyMap<string, AcmeProblem> =
    outcome.failures.size > 0 ? outcome.failures : new Map(subject.names.map((name) => [name, outcome.problem]));
  const documents = new Map([budgets.spend(issuer, countFailures(budgets.of(issuer), [...failures.keys()], nowMs))]);
  for (const [name, problem] of failures) {
    const known = knownName(writer, name);
    const document = documentOfFailure({
      name,
      order: subject,
      problem,
      retryAfterMs: outcome.retryAfterMs,
      known,
      nowMs,
    });
    documents.set(documentKeys.name(name), text(document));
    const next = new Date(document.nextAttemptMs).toISOString();
    logger.warn(
      { name, issuer: issuer.name, type: problem.type, failures: document.failures, next, err: problem.detail },
      'no certificate',
    );
  }
  events.orderEnded(issuer.name, { failure: outcome.problem.type });
  return documents;
}

function pending(order: OrderDocument, issuer: Issuer, context: OrderingContext): Map<string, string> {
  const { writer, access } = context;
  const nowMs = access.now(issuer);
  const waits = order.names.map((name) => documentOfNoResponse(name, order, knownName(writer, name), nowMs));
  const known = new Map(waits.map((each) => [each.name, each]));
  const documents = new Map(waits.map((each) => [documentKeys.name(each.name), text(each)]));
  return new Map([...documents, ...away(order, issuer, context, (name) => known.get(name))]);
}

/** Reported from the first time on, with URL and cause: a wrong ACME_DIRECTORY shows at once. The next success takes it back. */
export function away(
  subject: OrderSubject,
  issuer: Issuer,
  context: OrderingContext,
  known = (name: string) => knownName(context.writer, name),
): Map<string, string> {
  const { access } = context;
  // Others had a response since: only this name waits.
  if (access.failures(issuer) === 0) return new Map();
  const detail = access.lastError(issuer);
  return waiting(subject, { type: 'unreachable', detail, untilMs: access.notBeforeMs(issuer) }, known);
}

export function waiting(
  subject: OrderSubject,
  wait: { readonly type: string; readonly detail: string; readonly untilMs: number },
  known: (name: string) => NameDocument | undefined,
): Map<string, string> {
  const documents = new Map<string, string>();
  for (const name of subject.names)
    documents.set(documentKeys.name(name), text(documentOfWait(name, subject, known(name), wait)));
  return documents;
}
