import { openSecret, type SecretsKey, sealSecret } from '@swarmgate/registry';
import { readIssued } from '../certificates/issued.ts';
import type { Failure } from '../orders/failure.ts';
import { renewalByLifetimeMs } from '../orders/renewal-time.ts';
import { nextAttemptMs } from '../orders/retry-schedule.ts';
import type { AcmeProblem } from '../protocol/acme-error.ts';
import { certificateIdOf, documentKeys } from '../storage/acme-keys.ts';
import type { CertificateDocument, NameDocument, OrderDocument, RenewalDocument } from '../storage/documents.ts';

type Keys = readonly [SecretsKey, ...SecretsKey[]];
type Documents = Map<string, string | undefined>;

const firstWithoutResponseMs = 5_000;
const longestWithoutResponseMs = 600_000;

/** What stands in the registry after an order gave a certificate. */
export function documentsOfIssued(
  order: OrderDocument,
  chain: string,
  privateKey: string,
  keys: Keys,
  nowMs: number,
): { readonly documents: Documents; readonly certificate: CertificateDocument } {
  const certificate = certificateDocument({
    names: order.names,
    chain,
    privateKey,
    issuer: order.issuer,
    issuedAtMs: nowMs,
    keys,
    ...(order.profile === undefined ? {} : { profile: order.profile }),
  });
  const documents: Documents = new Map([
    [documentKeys.certificate(certificate.id), text(certificate)],
    [documentKeys.renewal(certificate.id), text(firstRenewal(certificate))],
    [documentKeys.order(order.id), undefined],
  ]);
  for (const name of order.names) documents.set(documentKeys.name(name), undefined);
  return { documents, certificate };
}

export interface CertificateParts {
  readonly names: readonly string[];
  readonly chain: string;
  readonly privateKey: string;
  readonly issuer: string;
  readonly issuedAtMs: number;
  readonly keys: Keys;
  readonly profile?: string;
}

/** @throws Error for a chain that cannot be read */
export function certificateDocument(parts: CertificateParts): CertificateDocument {
  const { names: _, ...facts } = readIssued(parts.chain);
  const id = certificateIdOf(parts.names);
  return {
    version: 1,
    id,
    names: [...parts.names],
    chain: parts.chain,
    sealedKey: sealSecret(parts.privateKey, certificateBinding(id), parts.keys),
    issuer: parts.issuer,
    issuedAtMs: parts.issuedAtMs,
    ...facts,
    ...(parts.profile === undefined ? {} : { profile: parts.profile }),
  };
}

/** Chain and private key in one PEM; `undefined` where the key was sealed with another `SECRETS_KEY`. */
export function openCertificateDocument(
  certificate: CertificateDocument,
  keys: readonly SecretsKey[],
): string | undefined {
  const privateKey = certificateKey(certificate, keys);
  return privateKey === undefined ? undefined : `${certificate.chain.trimEnd()}\n${privateKey}`;
}

/** PEM; `undefined` where it was sealed with another `SECRETS_KEY`. */
export function certificateKey(
  { id, sealedKey }: CertificateDocument,
  keys: readonly SecretsKey[],
): string | undefined {
  return openSecret(sealedKey, certificateBinding(id), keys);
}

export function certificateBinding(id: string): string {
  return `acme/certificates/${id}`;
}

export function orderBinding(id: string): string {
  return `acme/orders/${id}`;
}

/** By the lifetime alone, until the CA's renewal information is read: at once where there is any. */
export function firstRenewal(certificate: CertificateDocument): RenewalDocument {
  const { id, serial, renewalId, issuedAtMs } = certificate;
  return {
    version: 1,
    id,
    serial,
    renewAtMs: renewalByLifetimeMs(certificate),
    source: 'lifetime',
    ...(renewalId === undefined ? {} : { checkAtMs: issuedAtMs }),
  };
}

export interface FailureParts {
  readonly name: string;
  readonly order: Pick<OrderDocument, 'services' | 'issuer' | 'challenge'>;
  readonly problem: AcmeProblem;
  readonly retryAfterMs: number | undefined;
  readonly known: NameDocument | undefined;
  readonly nowMs: number;
}

/** A name after one more failure. */
export function documentOfFailure({ name, order, problem, retryAfterMs, known, nowMs }: FailureParts): NameDocument {
  const failures = (known?.failures ?? 0) + 1;
  const failure: Failure = {
    type: problem.type,
    detail: problem.detail,
    challenge: order.challenge,
    issuer: order.issuer,
    ...(retryAfterMs === undefined ? {} : { notBeforeMs: nowMs + retryAfterMs }),
  };
  return {
    version: 1,
    name,
    service: order.services[0] ?? '',
    failures,
    nextAttemptMs: nextAttemptMs(failures, nowMs, retryAfterMs),
    rehearsed: false,
    failure,
  };
}

/** A name whose rehearsal gave a certificate: the real try comes at once. */
export function documentOfRehearsal(known: NameDocument, nowMs: number): NameDocument {
  return { ...known, rehearsed: true, nextAttemptMs: nowMs };
}

/**
 * A name whose order got no response of the CA: it waits 5 s to 10 minutes by itself, because the orders beside it that are
 served end the wait for the CA. Not counted as a failure, and no problem yet.
 */
export function documentOfNoResponse(
  name: string,
  order: FailureParts['order'],
  known: NameDocument | undefined,
  nowMs: number,
): NameDocument {
  const unanswered = (known?.unanswered ?? 0) + 1;
  const waitMs = Math.min(firstWithoutResponseMs * 2 ** (unanswered - 1), longestWithoutResponseMs);
  return {
    version: 1,
    name,
    service: order.services[0] ?? '',
    failures: known?.failures ?? 0,
    nextAttemptMs: Math.max(nowMs + waitMs, known?.nextAttemptMs ?? 0),
    rehearsed: known?.rehearsed ?? false,
    unanswered,
    ...(known?.failure === undefined ? {} : { failure: known.failure }),
  };
}

/** A name that waits for a limit of the budget, or for a CA that is away: reported, and not counted as a failure. */
export function documentOfWait(
  name: string,
  order: FailureParts['order'],
  known: NameDocument | undefined,
  wait: { readonly type: string; readonly detail: string; readonly untilMs: number },
): NameDocument {
  return {
    version: 1,
    name,
    service: order.services[0] ?? '',
    failures: known?.failures ?? 0,
    nextAttemptMs: Math.max(wait.untilMs, known?.nextAttemptMs ?? 0),
    rehearsed: known?.rehearsed ?? false,
    ...(known?.unanswered === undefined ? {} : { unanswered: known.unanswered }),
    failure: {
      type: wait.type,
      detail: wait.detail,
      challenge: order.challenge,
      issuer: order.issuer,
      notBeforeMs: wait.untilMs,
    },
  };
}

export function text(document: object): string {
  return JSON.stringify(document, undefined, 1);
}
