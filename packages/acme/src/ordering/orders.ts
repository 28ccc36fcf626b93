import { openSecret, sealSecret } from '@swarmgate/registry';
import { makePrivateKey } from '../certificates/request.ts';
import { admit, refund } from '../orders/budget.ts';
import type { Issuer } from '../orders/issuers.ts';
import { accountProblem } from '../orders/mend.ts';
import type { OwnCertificate, PlannedOrder } from '../orders/plan-orders.ts';
import { AcmeError } from '../protocol/acme-error.ts';
import { certificateIdOf, documentKeys } from '../storage/acme-keys.ts';
import type { OrderDocument } from '../storage/documents.ts';
import { chooseOrder, type OrderChoice } from './choose-order.ts';
import { knownName, type OrderingContext } from './order-context.ts';
import { orderBinding, text } from './order-documents.ts';
import { internalProblem, isOfAll } from './order-faults.ts';
import { type OrderOutcome, runOrder } from './run-order.ts';
import { away, failed, type OrderSubject, respondedNames, settleOrder, waiting } from './settle-order.ts';

export interface OrdersOptions {
  readonly context: OrderingContext;
  readonly issuers: readonly Issuer[];
  /** Something ended: it is planned again. */
  readonly onEnd: () => void;
  /** The registry refused a write permanently. */
  readonly onRefused: (error: unknown) => void;
}

/** At the same time. Keeps the responses of all of them, which every replica reads, small. */
const mostOrders = 16;
const mostNames = 100;
/** The CA's clock is known to the second. */
const slackMs = 2_000;

/** The orders that this orderer has in progress, each with its own task. */
export class Orders {
  readonly #options: OrdersOptions;
  readonly #context: OrderingContext;
  readonly #tasks = new Map<string, { readonly names: readonly string[]; readonly done: Promise<void> }>();
  /** Orders of former orderers for which there is no room yet. */
  readonly #waiting: OrderDocument[] = [];

  constructor(options: OrdersOptions) {
    this.#options = options;
    this.#context = options.context;
  }

  names(): ReadonlySet<string> {
    return new Set([...this.#tasks.values(), ...this.#waiting].flatMap(({ names }) => names));
  }

  async settled(): Promise<void> {
    await Promise.allSettled([...this.#tasks.values()].map(({ done }) => done));
  }

  /** Goes on with an order of a former orderer, once there is room for it. */
  resume(order: OrderDocument): void {
    this.#waiting.push(order);
    this.#resumeWaiting();
  }

  #resumeWaiting(): void {
    while (this.#tasks.size < mostOrders) {
      const order = this.#waiting.shift();
      if (order === undefined) return;
      this.#resume(order);
    }
  }

  #resume(order: OrderDocument): void {
    const { secretsKeys, writer, budgets } = this.#context;
    const issuer = this.#issuer(order.issuer);
    this.#start(order.id, order, issuer, async () => {
      const privateKey = openSecret(order.sealedKey, orderBinding(order.id), secretsKeys);
      // Its issuer is not configured any more, or its key was sealed with another SECRETS_KEY: it is ordered again.
      if (issuer === undefined || privateKey === undefined || !(await this.#admitAgain(order, issuer))) {
        const documents = new Map<string, string | undefined>([[documentKeys.order(order.id), undefined]]);
        if (issuer !== undefined && order.url === undefined) {
          const [key, value] = budgets.spend(issuer, refund(budgets.of(issuer), order.names, order.startedAtMs));
          documents.set(key, value);
        }
        await writer.write({ documents });
      } else await this.#run(order, issuer, privateKey);
    });
  }

  /**
   * An order without a URL was perhaps made at the CA, and its response lost: it may count twice there. Only the count of orders
   * is concerned, because such an order was not finalized.
   */
  async #admitAgain({ names, url }: OrderDocument, issuer: Issuer): Promise<boolean> {
    if (url !== undefined) return true;
    const { access, budgets, writer } = this.#context;
    const { orders } = issuer.limits;
    const limits = orders === undefined ? {} : { orders };
    const admission = admit(budgets.of(issuer), limits, { names, exempt: true }, access.now(issuer));
    if (!admission.ok) return false;
    await writer.write({ documents: new Map([budgets.spend(issuer, admission.budget)]) });
    return true;
  }

  /** Begins as many as fit. Returns when to plan again; `Infinity`: when one of them ends. */
  begin(planned: readonly PlannedOrder[], requested: ReadonlySet<string>): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const each of planned) {
      const names = each.names.map(({ name }) => name);
      const id = certificateIdOf(names);
      if (this.#tasks.has(id)) continue;
      if (this.#tasks.size + this.#waiting.length >= mostOrders || this.names().size + names.length > mostNames) break;
      const choice = this.#choose(each);
      if (choice === undefined) continue;
      if (choice.kind === 'wait') {
        nextMs = Math.min(nextMs, choice.untilMs);
        continue;
      }
      const reason = names.some((name) => requested.has(name)) ? 'requested' : each.reason;
      const services = [...new Set(each.names.flatMap((of) => of.services))];
      const subject: OrderSubject = { names, services, issuer: choice.issuer.id, challenge: choice.challenge };
      this.#start(id, subject, choice.issuer, () => this.#order(each, subject, choice, reason));
    }
    return nextMs;
  }

  #choose({ names }: PlannedOrder): OrderChoice | undefined {
    const { access, writer, now } = this.#context;
    const known = knownName(writer, names[0].name);
    return chooseOrder({
      names,
      failures: known?.failures ?? 0,
      rehearsed: known?.rehearsed ?? false,
      issuers: this.#options.issuers,
      awayFailures: (issuer) => access.failures(issuer),
      notBeforeMs: (issuer) => access.notBeforeMs(issuer),
      nowMs: now(),
    });
  }

  #start(id: string, subject: OrderSubject, issuer: Issuer | undefined, run: () => Promise<void>): void {
    const { signal } = this.#context;
    const task = async () => {
      try {
        await run().catch((error: unknown) => {
          if (isOfAll(error, signal)) throw error;
          return this.#abandon(id, subject, issuer, error);
        });
      } catch (error) {
        if (!signal.aborted) this.#options.onRefused(error);
      } finally {
        this.#tasks.delete(id);
        if (!signal.aborted) this.#resumeWaiting();
        this.#options.onEnd();
      }
    };
    // It begins after it is known, so that it can end at once.
    this.#tasks.set(id, { names: subject.names, done: Promise.resolve().then(task) });
  }

  /** An unexpected error costs its own order, which waits as after any failure, and is not continued by the next orderer. */
  async #abandon(id: string, subject: OrderSubject, issuer: Issuer | undefined, error: unknown): Promise<void> {
    const { writer, logger } = this.#context;
    logger.error(
      { names: subject.names, issuer: issuer?.name ?? subject.issuer, err: error },
      'an order ended with an unexpected error',
    );
    const problem = internalProblem(error);
    const documents = new Map<string, string | undefined>([[documentKeys.order(id), undefined]]);
    if (issuer !== undefined)
      for (const [key, value] of failed(
        subject,
        issuer,
        { kind: 'failed', failures: new Map(), problem },
        this.#context,
      ))
        documents.set(key, value);
    await writer.write({ documents, removeResponsesOf: respondedNames(subject) });
  }

  async #order(
    planned: PlannedOrder,
    subject: OrderSubject,
    choice: Extract<OrderChoice, { readonly kind: 'order' }>,
    reason: OrderDocument['reason'],
  ): Promise<void> {
    const { writer, access, budgets, secretsKeys, events, logger } = this.#context;
    const { issuer, rehearsal, challenge, profile } = choice;
    const { names } = subject;
    if (!(await this.#connect(issuer, subject))) return;

    // By the CA's clock, which is known from here on: by a clock of ours that is ahead the wait was over too early.
    const nowMs = access.now(issuer);
    if (reason !== 'requested' && names.some((name) => (knownName(writer, name)?.nextAttemptMs ?? 0) > nowMs + slackMs))
      return;
    const { renews } = planned;
    const replaces = !rehearsal && renews?.issuer === issuer.id ? await this.#replaced(renews, issuer) : undefined;
    const admission = admit(budgets.of(issuer), issuer.limits, { names, exempt: replaces !== undefined }, nowMs);
    if (!admission.ok) {
      const detail = `the limit of ${issuer.name} for ${admission.of} is used up (${admission.limit})`;
      const documents = waiting(subject, { type: 'budget', detail, untilMs: admission.freeAtMs + slackMs }, (name) =>
        knownName(writer, name),
      );
      await writer.write({ documents });
      return;
    }
    const id = certificateIdOf(names);
    const privateKey = makePrivateKey();
    const order: OrderDocument = {
      version: 1,
      id,
      ...subject,
      rehearsal,
      reason,
      startedAtMs: nowMs,
      sealedKey: sealSecret(privateKey, orderBinding(id), secretsKeys),
      told: [],
      ...(profile === undefined ? {} : { profile }),
      ...(replaces === undefined ? {} : { replaces }),
    };
    const documents = new Map([[documentKeys.order(id), text(order)], budgets.spend(issuer, admission.budget)]);
    await writer.write({ documents });
    events.orderBegun(issuer.name);
    logger.info({ names, issuer: issuer.name, challenge, reason, rehearsal }, 'ordering a certificate');
    await this.#run(order, issuer, privateKey);
  }

  /** ARI's name of the certificate; `undefined` where the CA has no renewal information, and so exempts no renewal. */
  async #replaced({ renewalId }: OwnCertificate, issuer: Issuer): Promise<string | undefined> {
    const { access, signal } = this.#context;
    try {
      const client = await access.client(issuer, signal);
      return (await client.directory(signal)).renewalInfo === undefined ? undefined : renewalId;
    } catch (error) {
      if (!(error instanceof AcmeError)) throw error;
      return undefined;
    }
  }

  /** `false`: the CA is away, or refuses the account. */
  async #connect(issuer: Issuer, subject: OrderSubject): Promise<boolean> {
    const { access, writer, signal } = this.#context;
    try {
      await access.client(issuer, signal);
      return true;
    } catch (error) {
      if (!(error instanceof AcmeError)) throw error;
      const { problem, retryAfterMs } = error;
      if (error.code !== 'acme-refused' || problem === undefined) access.failed(issuer, error);
      const documents =
        error.code !== 'acme-refused' || problem === undefined
          ? away(subject, issuer, this.#context)
          : failed(
              subject,
              issuer,
              { kind: 'failed', failures: new Map(), problem: accountProblem(problem), retryAfterMs },
              this.#context,
            );
      if (documents.size > 0) await writer.write({ documents });
      return false;
    }
  }

  async #run(order: OrderDocument, issuer: Issuer, privateKey: string): Promise<void> {
    const { access, writer, signal } = this.#context;
    let outcome: OrderOutcome;
    try {
      const client = await access.client(issuer, signal);
      outcome = await runOrder(
        order,
        {
          ...this.#context,
          now: () => access.now(issuer),
          client,
          privateKey,
          store: async (stored) => {
            await writer.write({ documents: new Map([[documentKeys.order(order.id), text(stored)]]) });
          },
          charge: async () => {
            const { budgets } = this.#context;
            const expense = { names: order.names, exempt: false };
            const admission = admit(budgets.of(issuer), issuer.limits, expense, access.now(issuer));
            if (!admission.ok) return false;
            await writer.write({ documents: new Map([budgets.spend(issuer, admission.budget)]) });
            return true;
          },
          onResponse: (error) => (error === undefined ? access.responded(issuer) : access.failed(issuer, error)),
        },
        signal,
      );
    } catch (error) {
      if (!(error instanceof AcmeError)) throw error;
      // A former orderer had a client; this one cannot have one yet. The order waits with its name.
      access.failed(issuer, error);
      outcome = { kind: 'interrupted', reason: 'ca-away', message: error.message };
    }
    await settleOrder(order, issuer, outcome, privateKey, this.#context);
  }

  #issuer(id: string): Issuer | undefined {
    const all = this.#options.issuers.flatMap((each) => (each.staging === undefined ? [each] : [each, each.staging]));
    return all.find((each) => each.id === id);
  }
}
