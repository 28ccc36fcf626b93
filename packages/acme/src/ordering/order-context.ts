import type { SecretsKey } from '@swarmgate/registry';
import type { Logger } from '@swarmgate/runtime';
import { type Budget, emptyBudget } from '../orders/budget.ts';
import type { Issuer } from '../orders/issuers.ts';
import { documentKeys } from '../storage/acme-keys.ts';
import { budgetSchema, type NameDocument, nameSchema, readDocument } from '../storage/documents.ts';
import type { FencedWriter } from '../storage/fenced-writer.ts';
import type { AccountAccess } from './account-access.ts';
import type { OrdererEvents } from './orderer-options.ts';
import type { Prover } from './prove.ts';

/** What all orders of one orderer share. */
export interface OrderingContext {
  readonly writer: FencedWriter;
  readonly access: AccountAccess;
  readonly prover: Prover;
  readonly budgets: Budgets;
  readonly secretsKeys: readonly [SecretsKey, ...SecretsKey[]];
  readonly events: OrdererEvents;
  readonly logger: Logger;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** What is spent with each issuer. Orders begin side by side, so the count is kept here and written with each of them. */
export class Budgets {
  readonly #writer: FencedWriter;
  readonly #known = new Map<string, Budget>();

  constructor(writer: FencedWriter) {
    this.#writer = writer;
  }

  of(issuer: Issuer): Budget {
    const known = this.#known.get(issuer.id);
    if (known !== undefined) return known;
    const stored = readDocument(budgetSchema, this.#writer.documents.get(documentKeys.budget(issuer.id)));
    return stored ?? emptyBudget;
  }

  /** Returns the document that is to be written. */
  spend(issuer: Issuer, budget: Budget): readonly [key: string, value: string] {
    this.#known.set(issuer.id, budget);
    return [documentKeys.budget(issuer.id), JSON.stringify({ version: 1, ...budget })];
  }
}

export function knownName(writer: FencedWriter, name: string): NameDocument | undefined {
  return readDocument(nameSchema, writer.documents.get(documentKeys.name(name)));
}
