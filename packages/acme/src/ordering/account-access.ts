import { createPrivateKey } from 'node:crypto';
import { openSecret, type SecretsKey, sealSecret } from '@swarmgate/registry';
import { backoffMs, type ExternalAccount, type Logger } from '@swarmgate/runtime';
import { makePrivateKey } from '../certificates/request.ts';
import type { Issuer } from '../orders/issuers.ts';
import { AcmeClient } from '../protocol/acme-client.ts';
import type { AcmeError } from '../protocol/acme-error.ts';
import { documentKeys } from '../storage/acme-keys.ts';
import { type AccountDocument, accountSchema, readDocument } from '../storage/documents.ts';
import type { FencedWriter } from '../storage/fenced-writer.ts';

export interface AccountAccessOptions {
  readonly writer: FencedWriter;
  readonly secretsKeys: readonly [SecretsKey, ...SecretsKey[]];
  readonly email: string | undefined;
  readonly externalAccountOf: (issuer: Issuer) => ExternalAccount | undefined;
  /** PEM of `ACME_CA_FILE`. */
  readonly ca: string | undefined;
  readonly userAgent: string;
  readonly logger: Logger;
  readonly now: () => number;
}

interface Access {
  readonly issuer: Issuer;
  client: Promise<AcmeClient> | undefined;
  clockOffsetMs: number;
  /** Requests in a row without a usable response. */
  failures: number;
  notBeforeMs: number;
  /** Why the last request had no usable response. */
  lastError?: string;
}

/** Waits before an issuer that does not respond is queried again, in milliseconds. */
const firstWaitMs = 5_000;
const longestWaitMs = 600_000;

/** One client and account for each issuer, made when first needed, and how well the issuer responds. */
export class AccountAccess {
  readonly #options: AccountAccessOptions;
  readonly #accesses = new Map<string, Access>();
  #clockOffsetMs = 0;

  constructor(options: AccountAccessOptions) {
    this.#options = options;
  }

  /** With its account. @throws AcmeError */
  async client(issuer: Issuer, signal: AbortSignal): Promise<AcmeClient> {
    const access = this.#access(issuer);
    access.client ??= this.#connect(issuer, signal).catch((error) => {
      access.client = undefined;
      throw error;
    });
    const client = await access.client;
    access.clockOffsetMs = client.clockOffsetMs;
    this.#clockOffsetMs = client.clockOffsetMs;
    await this.#reportClock(issuer, client.refusedOffsetMs);
    return client;
  }

  /** A clock that is more than a day off is a problem until it is not. */
  async #reportClock(issuer: Issuer, aheadMs: number | undefined): Promise<void> {
    const { writer, now, logger } = this.#options;
    const key = documentKeys.clock(issuer.id);
    if (writer.documents.has(key) === (aheadMs !== undefined)) return;
    if (aheadMs !== undefined)
      logger.warn({ issuer: issuer.name, aheadMs }, 'the clock of the CA is more than a day off: its time is not used');
    const notice = { version: 1, kind: 'clock-off', issuer: issuer.id, aheadMs, atMs: now() };
    await writer.write({ documents: new Map([[key, aheadMs === undefined ? undefined : JSON.stringify(notice)]]) });
  }

  /**
   * The time by the CA that was queried last. Moments in the registry are by the clocks of CAs: with a clock of ours that is
   * hours ahead, every wait would be over at once.
   */
  clock(): number {
    return this.#options.now() + this.#clockOffsetMs;
  }

  /** The CA's time as far as it is known: a clock of ours that is off must not widen the windows of the budget. */
  now(issuer: Issuer): number {
    return this.#options.now() + this.#access(issuer).clockOffsetMs;
  }

  /** Until when the issuer is left alone because it did not respond; 0: it responds. */
  notBeforeMs(issuer: Issuer): number {
    return this.#access(issuer).notBeforeMs;
  }

  /** Failures in a row. */
  failures(issuer: Issuer): number {
    return this.#access(issuer).failures;
  }

  /** URL and cause of the last request without a usable response; empty where there was none. */
  lastError(issuer: Issuer): string {
    return this.#access(issuer).lastError ?? '';
  }

  responded(issuer: Issuer): void {
    const access = this.#access(issuer);
    access.failures = 0;
    access.notBeforeMs = 0;
  }

  failed(issuer: Issuer, error: AcmeError): void {
    const access = this.#access(issuer);
    const { logger } = this.#options;
    // Orders side by side meet the same outage: it counts once.
    if (access.notBeforeMs > this.clock()) return;
    const waitMs = Math.max(backoffMs(access.failures, firstWaitMs, longestWaitMs), error.retryAfterMs ?? 0);
    access.failures += 1;
    access.lastError = error.message;
    access.notBeforeMs = this.clock() + waitMs;
    logger.warn({ issuer: issuer.name, waitMs, err: error.message }, 'the CA gives no usable response');
  }

  /** The CA does not know the account any more: it is made again, with the same key. */
  async forgetAccount(issuer: Issuer): Promise<void> {
    const { writer } = this.#options;
    const access = this.#access(issuer);
    access.client?.then((client) => client.close()).catch(() => undefined);
    access.client = undefined;
    const key = documentKeys.account(issuer.id);
    const known = readDocument(accountSchema, writer.documents.get(key));
    if (known === undefined) return;
    const { url: _, ...withoutUrl } = known;
    await writer.write({ documents: new Map([[key, JSON.stringify(withoutUrl)]]) });
  }

  close(): void {
    for (const { client } of this.#accesses.values()) client?.then((each) => each.close()).catch(() => undefined);
    this.#accesses.clear();
  }

  #access(issuer: Issuer): Access {
    let access = this.#accesses.get(issuer.id);
    if (access === undefined) {
      access = { issuer, client: undefined, clockOffsetMs: 0, failures: 0, notBeforeMs: 0 };
      this.#accesses.set(issuer.id, access);
    }
    return access;
  }

  async #connect(issuer: Issuer, signal: AbortSignal): Promise<AcmeClient> {
    const { writer, secretsKeys, email, ca, userAgent, logger, now } = this.#options;
    const key = documentKeys.account(issuer.id);
    let account = readDocument(accountSchema, writer.documents.get(key));
    let privateKey = account === undefined ? undefined : openSecret(account.sealedKey, bound(key), secretsKeys);
    if (account !== undefined && privateKey === undefined)
      logger.warn({ issuer: issuer.name }, 'the account key is sealed with another SECRETS_KEY: a new account is made');
    const write = async (next: AccountDocument) => {
      account = next;
      await writer.write({ documents: new Map([[key, JSON.stringify(next)]]) });
    };
    if (privateKey === undefined) {
      privateKey = makePrivateKey();
      // Stored before the CA sees it: an account whose key was lost could not be found again.
      await write({
        version: 1,
        issuer: issuer.id,
        directoryUrl: issuer.directoryUrl,
        sealedKey: sealSecret(privateKey, bound(key), secretsKeys),
        createdAtMs: now(),
      });
    }
    const client = new AcmeClient({
      directoryUrl: issuer.directoryUrl,
      accountKey: createPrivateKey(privateKey),
      userAgent,
      now,
      ...(account?.url === undefined ? {} : { accountUrl: account.url }),
      ...(ca === undefined || issuer.isPublic ? {} : { ca }),
    });
    try {
      await client.directory(signal);
      if (client.accountUrl === undefined && account !== undefined) {
        const externalAccount = this.#options.externalAccountOf(issuer);
        const url = await client.createAccount(
          { ...(email === undefined ? {} : { email }), ...(externalAccount === undefined ? {} : { externalAccount }) },
          signal,
        );
        await write({ ...account, url });
        logger.info({ issuer: issuer.name }, 'an account was made at the CA');
        logger.debug({ issuer: issuer.name, account: url }, 'account');
      }
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }
}

function bound(key: string): string {
  return `acme/${key}`;
}
