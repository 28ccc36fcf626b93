import { createPrivateKey } from 'node:crypto';
import { backoffMs, type Logger, pause } from '@swarmgate/runtime';
import { objectionToChain } from '../certificates/issued-check.ts';
import { makeRequest } from '../certificates/request.ts';
import { isDnsError } from '../challenges/dns-provider.ts';
import { covers, nameKind, normalName } from '../names/name-kind.ts';
import { isOrdered, nextStep, type Proof, problemsByName, refused, type Step } from '../orders/next-step.ts';
import type { AcmeClient } from '../protocol/acme-client.ts';
import { AcmeError, type AcmeProblem } from '../protocol/acme-error.ts';
import type { Authorization, Order, Polled } from '../protocol/resources.ts';
import type { OrderDocument } from '../storage/documents.ts';
import { internalProblem, isOfAll, refusesReplaces } from './order-faults.ts';
import type { Prover } from './prove.ts';

export interface OrderContext {
  readonly client: AcmeClient;
  readonly prover: Prover;
  /** Of the certificate to come, PEM. */
  readonly privateKey: string;
  readonly logger: Logger;
  /** The CA's time, by which the order's start was written. */
  readonly now: () => number;
  /** Stores how far the order is, fenced. */
  readonly store: (order: OrderDocument) => Promise<void>;
  /** Spends a certificate that is not exempt from the CA's limits; `false`: there is no room. */
  readonly charge: () => Promise<boolean>;
  /** The CA responded, or did not. */
  readonly onResponse: (error?: AcmeError) => void;
  /** How long the order may take from its start, whichever replicas take it further, in milliseconds. Default 30 minutes. */
  readonly deadlineMs?: number;
}

/** `isUnissued`: the CA made no certificate for this order for sure. */
export type OrderOutcome = (
  | { readonly kind: 'issued'; readonly chain: string }
  /** `failures` by name; empty: all names of the order, for `problem`. */
  | {
      readonly kind: 'failed';
      readonly failures: ReadonlyMap<string, AcmeProblem>;
      readonly problem: AcmeProblem;
      readonly retryAfterMs?: number | undefined;
    }
  /** Nothing is wrong with the names: the CA was away before the order existed, or lost it or the account. */
  | {
      readonly kind: 'interrupted';
      readonly reason: 'ca-away' | 'order-lost' | 'account-lost';
      readonly message: string;
    }
) & { readonly isUnissued?: true };

const longestOrderMs = 30 * 60_000;
const pollMs = 1_000;
const firstPollMs = 250;
/** Between two steps of one order. */
const shortestWaitMs = 20;

/**
 * Takes one order from wherever it stands to its end. What the CA returns decides each step, so a replica that takes
 * over goes on with the same order. Waits happen here, never inside a request.
 */
export async function runOrder(
  order: OrderDocument,
  context: OrderContext,
  signal: AbortSignal,
): Promise<OrderOutcome> {
  const run = new OrderRun(order, context, signal);
  const outcome = await run.toTheEnd();
  try {
    await run.takeBack();
  } catch (error) {
    if (isOfAll(error, signal)) throw error;
    context.logger.warn({ names: order.names, err: error }, 'responses of an order could not be taken back');
  }
  return outcome.kind === 'issued' || run.mayBeIssued ? outcome : { ...outcome, isUnissued: true };
}

class OrderRun {
  #order: OrderDocument;
  readonly #context: OrderContext;
  readonly #signal: AbortSignal;
  readonly #proofs: Proof[] = [];
  readonly #valid = new Map<string, Authorization>();
  readonly #deadlineMs: number;
  readonly #endMs: number;
  #mayBeIssued = false;

  constructor(order: OrderDocument, context: OrderContext, signal: AbortSignal) {
    this.#order = order;
    this.#context = context;
    this.#signal = signal;
    this.#deadlineMs = context.deadlineMs ?? longestOrderMs;
    // A clock that was set back must not make it longer.
    const leftMs = Math.min(order.startedAtMs + this.#deadlineMs - context.now(), this.#deadlineMs);
    this.#endMs = performance.now() + leftMs;
  }

  get mayBeIssued(): boolean {
    return this.#mayBeIssued;
  }

  async toTheEnd(): Promise<OrderOutcome> {
    let away = 0;
    for (;;) {
      this.#signal.throwIfAborted();
      let waitMs: number;
      try {
        const stepped = await this.#next();
        this.#context.onResponse();
        if (typeof stepped !== 'number') return stepped;
        away = 0;
        waitMs = stepped;
      } catch (error) {
        const outcome = this.#outcomeOf(error);
        if (outcome !== undefined) return outcome;
        if (!(error instanceof AcmeError)) return this.#unexpected(error);
        this.#context.onResponse(error);
        if (this.#order.url === undefined) return { kind: 'interrupted', reason: 'ca-away', message: error.message };
        waitMs = Math.max(backoffMs(away, 1_000, 60_000), error.retryAfterMs ?? 0);
        away += 1;
      }
      const leftMs = this.#leftMs();
      if (leftMs <= 0)
        return {
          kind: 'failed',
          failures: new Map(),
          problem: { type: 'timeout', detail: `no end after ${this.#deadlineMs / 60_000} minutes`, subproblems: [] },
        };
      // A CA that names no wait at all is not queried in a loop, and one that names days holds up no order.
      await pause(Math.min(Math.max(waitMs, shortestWaitMs), leftMs), this.#signal);
    }
  }

  #leftMs(): number {
    return this.#endMs - performance.now();
  }

  async takeBack(): Promise<void> {
    await this.#context.prover.takeBack(this.#proofRequest(this.#proofs), this.#signal);
  }

  /** One step. A number: how long to wait before the next, in milliseconds. */
  async #next(): Promise<OrderOutcome | number> {
    const { client, logger } = this.#context;
    if (this.#order.url === undefined) {
      await this.#create();
      return 0;
    }
    const { url, challenge, names } = this.#order;
    const polled = await client.order(url, this.#signal);
    this.#mayBeIssued = polled.resource.status === 'processing' || polled.resource.status === 'valid';
    // Also after the order's time, which may have ended while no replica was there: what was issued is fetched.
    const { status, certificate } = polled.resource;
    if (this.#leftMs() <= 0 && status === 'valid' && certificate !== undefined) return this.#download(certificate);
    const { length } = polled.resource.authorizations;
    if (length > names.length) return refused(`the CA has ${length} authorizations for ${names.length} names`);
    const authorizations = await this.#authorizations(polled.resource);
    if (authorizations === undefined) return 0;
    this.#rememberProofs(authorizations);
    const step = nextStep(polled.resource, authorizations, { names, challenge, reported: new Set(this.#order.told) });
    logger.debug({ names, order: url, status: polled.resource.status, step: step.kind }, 'order');
    return this.#take(step, polled);
  }

  async #take(step: Step, polled: Polled<Order>): Promise<OrderOutcome | number> {
    const { client, privateKey } = this.#context;
    switch (step.kind) {
      case 'prove':
        await this.#prove(step.proofs);
        return firstPollMs;
      case 'finalize': {
        const request = await makeRequest(this.#order.names, createPrivateKey(privateKey));
        // A response that is lost leaves open whether there is a certificate; a refusal does not.
        this.#mayBeIssued = true;
        const { resource, retryAfterMs } = await client
          .finalize(step.url, request, this.#signal)
          .catch((error: unknown) => {
            this.#mayBeIssued = !(error instanceof AcmeError && error.code === 'acme-refused');
            throw error;
          });
        return resource.status === 'valid' ? 0 : wishOf(retryAfterMs);
      }
      case 'download':
        return this.#download(step.url);
      case 'failed':
        return { kind: 'failed', failures: this.#asOrdered(step.failures), problem: step.problem };
      case 'wait':
        return wishOf(polled.retryAfterMs);
    }
  }

  async #create(): Promise<void> {
    const { client, store, logger } = this.#context;
    const { names, profile, replaces } = this.#order;
    const { profiles } = await client.directory(this.#signal);
    const identifiers = names.map((value) => ({
      type: nameKind(value) === 'ip' ? ('ip' as const) : ('dns' as const),
      value,
    }));
    const request = { identifiers, ...(profile === undefined || !profiles.includes(profile) ? {} : { profile }) };
    let made: Awaited<ReturnType<AcmeClient['newOrder']>>;
    try {
      made = await client.newOrder({ ...request, ...(replaces === undefined ? {} : { replaces }) }, this.#signal);
    } catch (error) {
      if (replaces === undefined || !(error instanceof AcmeError) || !refusesReplaces(error)) throw error;
      if (!(await this.#context.charge())) throw error;
      logger.info({ names, err: error.message }, 'the CA does not take the order as a renewal: ordering without');
      made = await client.newOrder(request, this.#signal);
    }
    this.#order = { ...this.#order, url: made.url, told: [] };
    await store(this.#order);
    logger.debug({ names, order: made.url }, 'the order was made');
  }

  /** `undefined`: the order's time ended meanwhile. */
  async #authorizations({ authorizations }: Order): Promise<readonly Authorization[] | undefined> {
    const found: Authorization[] = [];
    for (const url of authorizations) {
      if (this.#leftMs() <= 0) return undefined;
      const known = this.#valid.get(url) ?? (await this.#context.client.authorization(url, this.#signal)).resource;
      if (known.status === 'valid') this.#valid.set(url, known);
      found.push(known);
    }
    return found;
  }

  /** DNS records are removed at the end, even those that a former orderer wrote. */
  #rememberProofs(authorizations: readonly Authorization[]): void {
    for (const each of authorizations) {
      if (!isOrdered(each, this.#order.names)) continue;
      const found = each.challenges.find(({ type }) => type === this.#order.challenge);
      if (found?.token === undefined || this.#proofs.some(({ url }) => url === found.url)) continue;
      this.#proofs.push({ name: normalName(each.identifier.value), url: found.url, token: found.token });
    }
  }

  async #prove(proofs: readonly Proof[]): Promise<void> {
    const { client, prover, store } = this.#context;
    await prover.publish(this.#proofRequest(proofs), this.#signal);
    for (const { url } of proofs) {
      try {
        await client.challengeReady(url, this.#signal);
      } catch (error) {
        // A former orderer has notified the CA, and stopped before it could store that.
        if (!(error instanceof AcmeError) || error.problem?.type !== 'malformed') throw error;
      }
    }
    this.#order = { ...this.#order, told: [...this.#order.told, ...proofs.map(({ url }) => url)] };
    await store(this.#order);
  }

  #proofRequest(proofs: readonly Proof[]) {
    const { client } = this.#context;
    return {
      challenge: this.#order.challenge,
      proofs,
      keyAuthorization: (token: string) => client.keyAuthorization(token),
    };
  }

  async #download(url: string): Promise<OrderOutcome> {
    const { client, privateKey } = this.#context;
    const chain = await client.certificate(url, this.#signal);
    const detail = objectionToChain(chain, privateKey, this.#order.names);
    if (detail === 'unreadable') throw AcmeError.unavailable(`POST ${url}: the certificate cannot be read`);
    if (detail === undefined) return { kind: 'issued', chain };
    return refused(detail);
  }

  /** `undefined`: the CA is away, and the order can go on later. */
  #outcomeOf(error: unknown): OrderOutcome | undefined {
    if (isDnsError(error)) {
      const problem = { type: error.code, detail: error.message, subproblems: [] };
      return { kind: 'failed', failures: new Map(), problem };
    }
    if (!(error instanceof AcmeError)) return undefined;
    const { problem, retryAfterMs, message } = error;
    if (problem?.type === 'accountDoesNotExist') return { kind: 'interrupted', reason: 'account-lost', message };
    const forgotten = this.#order.url !== undefined && (problem?.status === 404 || problem?.status === 410);
    if (forgotten) return { kind: 'interrupted', reason: 'order-lost', message };
    if (error.code !== 'acme-refused' || problem === undefined) return undefined;
    // The order is looked at again: another orderer may have finalized it in the meantime.
    if (problem.type === 'orderNotReady') return undefined;
    return { kind: 'failed', failures: this.#asOrdered(problemsByName(problem)), problem, retryAfterMs };
  }

  /** An error of this program, or of a library on something that the CA sent: it costs this order, not those beside it. */
  #unexpected(error: unknown): OrderOutcome {
    if (isOfAll(error, this.#signal)) throw error;
    this.#context.logger.error({ names: this.#order.names, err: error }, 'an order ended with an unexpected error');
    return { kind: 'failed', failures: new Map(), problem: internalProblem(error) };
  }

  /** By the names of the order: a CA may name `example.com` where `*.example.com` was ordered. */
  #asOrdered(failures: ReadonlyMap<string, AcmeProblem>): ReadonlyMap<string, AcmeProblem> {
    const { names } = this.#order;
    const found = new Map<string, AcmeProblem>();
    for (const [name, problem] of failures) {
      const exact = names.includes(name) ? name : names.find((each) => each === `*.${name}` || covers(each, name));
      if (exact !== undefined) found.set(exact, problem);
    }
    return found;
  }
}

/** How long to wait until an order is looked at again, in milliseconds. */
function wishOf(retryAfterMs: number | undefined): number {
  return Math.max(retryAfterMs ?? pollMs, firstPollMs);
}
