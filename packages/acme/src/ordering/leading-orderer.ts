import { createSignal } from '@swarmgate/runtime';
import { isCovered } from '../names/name-kind.ts';
import { type IssuerNames, issuerNames } from '../orders/issuers.ts';
import { type NameState, type OwnCertificate, planOrders } from '../orders/plan-orders.ts';
import { type HeadMark, hasReached } from '../storage/acme-head.ts';
import { documentKeys } from '../storage/acme-keys.ts';
import {
  certificateSchema,
  nameSchema,
  type OrderDocument,
  orderSchema,
  readDocument,
  renewalSchema,
} from '../storage/documents.ts';
import { FencedWriter } from '../storage/fenced-writer.ts';
import { AccountAccess } from './account-access.ts';
import { Budgets } from './order-context.ts';
import { text } from './order-documents.ts';
import type { OrdererOptions } from './orderer-options.ts';
import { Orders } from './orders.ts';
import { Prover } from './prove.ts';
import { RenewalChecks } from './renewal-checks.ts';
import { Requests } from './requests.ts';
import { UsableCertificates } from './usable-certificates.ts';

const defaults = { barrierMs: 15_000, restoreMs: 5_000 };
/** Also without a change: what a lost wake would have caused. */
const longestWaitMs = 60_000;

/** The orderer while it holds the lock: reads where everything stands, goes on with it, and plans what to order next. */
export class LeadingOrderer {
  readonly #options: OrdererOptions & typeof defaults & { readonly now: () => number };
  readonly #fence: { readonly key: string; readonly session: string };
  readonly #signal: AbortSignal;
  readonly #ending = new AbortController();
  readonly #changed = createSignal();
  readonly #issuerName: IssuerNames;

  constructor(options: OrdererOptions, fence: { readonly key: string; readonly session: string }, signal: AbortSignal) {
    const { barrierMs = defaults.barrierMs, restoreMs = defaults.restoreMs, now = Date.now } = options;
    this.#options = { ...options, barrierMs, restoreMs, now };
    this.#issuerName = issuerNames(options.issuers);
    this.#fence = fence;
    this.#signal = AbortSignal.any([signal, this.#ending.signal]);
  }

  wake(): void {
    this.#changed.notify();
  }

  /** Until the lock is lost or the signal aborts. @throws RegistryError where the registry refuses */
  async run(): Promise<void> {
    const { store, keys, logger, secretsKeys, now, issuers } = this.#options;
    const signal = this.#signal;
    const writer = await FencedWriter.open({ store, keys, fence: this.#fence, logger, signal });
    const access = new AccountAccess({
      writer,
      secretsKeys,
      email: this.#options.email,
      externalAccountOf: this.#options.externalAccountOf ?? (() => undefined),
      ca: this.#options.ca,
      userAgent: this.#options.userAgent,
      logger,
      now,
    });
    const prover = new Prover({
      ...this.#options,
      writer,
      barrier: (mark, until) => this.#barrier(mark, writer, until),
    });
    const clock = () => access.clock();
    const onChange = () => this.#changed.notify();
    const random = this.#options.random ?? Math.random;
    const checks = new RenewalChecks({ writer, access, issuers, logger, now: clock, random, onChange });
    const onEnd = () => {
      checks.wake();
      onChange();
    };
    const onRefused = (error: unknown) => this.#ending.abort(error);
    const budgets = new Budgets(writer);
    const { events } = this.#options;
    const context = { writer, access, prover, budgets, secretsKeys, events, logger, now: clock, signal };
    const orders = new Orders({ context, issuers, onEnd, onRefused });
    const usable = new UsableCertificates(secretsKeys);
    const issuerName = this.#issuerName;
    const requests = new Requests({ store, keys, writer, usable, issuerName, logger, now: clock, onRequest: onEnd });
    const following = Promise.all([requests.follow(signal), checks.follow(signal)]).catch(onRefused);
    try {
      await this.#begin(writer, orders, requests);
      while (!signal.aborted) {
        const nextMs = await this.#plan({ writer, orders, requests, usable, nowMs: clock() });
        await this.#changed.wait(Math.min(Math.max(nextMs - clock(), 0), longestWaitMs), signal);
      }
    } finally {
      this.#ending.abort();
      await Promise.allSettled([following, orders.settled()]);
      access.close();
    }
    if (signal.reason instanceof Error && this.#ending.signal.reason === signal.reason) throw signal.reason;
  }

  async #begin(writer: FencedWriter, orders: Orders, requests: Requests): Promise<void> {
    const { logger, restoreMs } = this.#options;
    if (writer.isNew) {
      // Makes the head, which other replicas compare with what they have. What was lost comes back as requests.
      await writer.write({});
      logger.info('the registry has no head of certificates: waiting for what other replicas have');
      const endMs = performance.now() + restoreMs;
      while (!this.#signal.aborted && performance.now() < endMs)
        await this.#changed.wait(endMs - performance.now(), this.#signal);
    }
    // Thousands of certificates take longer than the wait; an orderer that was stopped meanwhile left some in the inbox.
    await requests.takeAll(this.#signal);
    // What a former orderer saw of clocks is seen again by this one, where it is still so.
    for (const key of [...writer.documents.keys()].filter((each) => each.startsWith(documentKeys.clock(''))))
      await writer.write({ documents: new Map([[key, undefined]]) });
    const open: OrderDocument[] = [];
    for (const [key, value] of writer.documents) {
      if (!key.startsWith('orders/')) continue;
      const order = readDocument(orderSchema, value);
      if (order !== undefined && key === documentKeys.order(order.id)) open.push(order);
      else {
        // It would be continued by each orderer, and never removed at its end.
        logger.warn({ key }, 'a document that is no order of this key is removed');
        await writer.write({ documents: new Map([[key, undefined]]) });
      }
    }
    const pending = new Set(open.flatMap(({ names }) => names));
    const stale = writer.responses.map(({ name }) => name).filter((name) => !pending.has(name));
    if (stale.length > 0) await writer.write({ removeResponsesOf: stale });
    for (const order of open) {
      logger.info({ names: order.names, issuer: this.#issuerName(order.issuer) }, 'going on with an order');
      orders.resume(order);
    }
  }

  /** Begins what is to be ordered now; returns when to look again. */
  async #plan({ writer, orders, requests, usable, nowMs }: Planning): Promise<number> {
    const { required, logger } = this.#options;
    const certificates = ownCertificates(writer.documents, usable);
    const requested = requests.names(certificates);
    const plan = planOrders({
      required: required(),
      certificates,
      states: nameStates(writer.documents),
      inProgress: orders.names(),
      requested,
      nowMs,
    });
    const nextMs = orders.begin(plan.orders, requested);
    await requests.done(
      [...requested].filter((name) => orders.names().has(name) || !plan.orders.some((each) => holds(each, name))),
    );
    const gone = plan.obsolete.filter(({ id }) => writer.documents.has(documentKeys.certificate(id)));
    for (const { id, names } of gone) {
      logger.info({ names }, 'a certificate that is not needed any more is removed');
      const documents = new Map([
        [documentKeys.certificate(id), undefined],
        [documentKeys.renewal(id), undefined],
      ]);
      await writer.write({ documents });
    }
    await this.#forgetNames(writer, nowMs);
    return Math.min(plan.nextMs, nextMs);
  }

  /** Failures of names without a route are not reported. Their schedule is kept for an hour in case the names return. */
  async #forgetNames(writer: FencedWriter, nowMs: number): Promise<void> {
    const { required } = this.#options;
    const names = new Set(required().map(({ name }) => name));
    const forgotten = [...writer.documents].flatMap(([key, value]) => {
      const known = key.startsWith('names/') ? readDocument(nameSchema, value) : undefined;
      return known !== undefined && !names.has(known.name) && known.nextAttemptMs < nowMs - 3_600_000 ? [key] : [];
    });
    for (const key of forgotten) await writer.write({ documents: new Map([[key, undefined]]) });
  }

  /** Waits until every live replica serves the mark; reports those that do not, and goes on without them. */
  async #barrier(mark: HeadMark, writer: FencedWriter, signal: AbortSignal): Promise<void> {
    const { presence, barrierMs, logger, now } = this.#options;
    const { waitingFor } = await presence.waitUntil(({ acme }) => hasReached(acme, mark), barrierMs, signal);
    const key = documentKeys.lateReplicas;
    if (waitingFor.length > 0) {
      logger.warn(
        { replicas: waitingFor, waitedMs: barrierMs },
        'replicas did not confirm the response: the CA is notified',
      );
      const notice = { version: 1, kind: 'replicas-late', replicas: waitingFor, atMs: now() };
      await writer.write({ documents: new Map([[key, text(notice)]]) });
    } else if (writer.documents.has(key)) await writer.write({ documents: new Map([[key, undefined]]) });
  }
}

interface Planning {
  readonly writer: FencedWriter;
  readonly orders: Orders;
  readonly requests: Requests;
  readonly usable: UsableCertificates;
  readonly nowMs: number;
}

/** Those that can be served: what cannot is ordered again. */
function ownCertificates(documents: ReadonlyMap<string, string>, usable: UsableCertificates): OwnCertificate[] {
  const found: OwnCertificate[] = [];
  for (const [key, value] of documents) {
    if (!key.startsWith('certificates/')) continue;
    const certificate = readDocument(certificateSchema, value);
    if (certificate === undefined || !usable.has(value, certificate)) continue;
    const { id, names, notAfterMs, renewalId, serial, issuer } = certificate;
    const renewal = readDocument(renewalSchema, documents.get(documentKeys.renewal(id)));
    const current = renewal?.serial === serial ? renewal : undefined;
    found.push({
      id,
      names,
      issuer,
      notAfterMs,
      renewAtMs: current?.renewAtMs ?? notAfterMs,
      ...(renewalId === undefined ? {} : { renewalId }),
    });
  }
  return found;
}

function nameStates(documents: ReadonlyMap<string, string>): ReadonlyMap<string, NameState> {
  const states = new Map<string, NameState>();
  for (const [key, value] of documents) {
    const known = key.startsWith('names/') ? readDocument(nameSchema, value) : undefined;
    if (known !== undefined) states.set(known.name, known);
  }
  return states;
}

function holds(order: { readonly names: readonly { readonly name: string }[] }, name: string): boolean {
  return isCovered(name, new Set(order.names.map((each) => each.name)));
}
