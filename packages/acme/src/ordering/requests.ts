import type { KeyValueStore } from '@swarmgate/registry';
import { backoffMs, type Logger, pause } from '@swarmgate/runtime';
import { covers, normalName } from '../names/name-kind.ts';
import type { IssuerNames } from '../orders/issuers.ts';
import type { OwnCertificate } from '../orders/plan-orders.ts';
import { type AcmeKeys, documentKeys, isRestorable } from '../storage/acme-keys.ts';
import {
  accountSchema,
  type CertificateDocument,
  certificateSchema,
  readDocument,
  requestSchema,
} from '../storage/documents.ts';
import type { FencedWriter } from '../storage/fenced-writer.ts';
import { firstRenewal, text } from './order-documents.ts';
import type { UsableCertificates } from './usable-certificates.ts';

export interface RequestsOptions {
  readonly store: KeyValueStore;
  readonly keys: AcmeKeys;
  readonly writer: FencedWriter;
  readonly usable: UsableCertificates;
  readonly issuerName: IssuerNames;
  readonly logger: Logger;
  readonly now: () => number;
  readonly onRequest: () => void;
}

/** Of one transaction: with the last request in it, the fence and the head it stays below the registry's 64. */
const mostDocumentsAtOnce = 36;
/** Of values in one transaction. */
const mostValueBytes = 100_000;

/** What replicas request of the orderer: to renew a name now, and to take over certificates. */
export class Requests {
  readonly #options: RequestsOptions;
  /** The inbox is read by one at a time. */
  #reading: Promise<unknown> = Promise.resolve();
  /** Key in the inbox by name to renew. */
  readonly #renewals = new Map<string, string>();

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** Until the signal aborts. @throws RegistryError where a write is refused */
  async follow(signal: AbortSignal): Promise<void> {
    const { store, keys, logger } = this.#options;
    let index = 0;
    let failures = 0;
    while (!signal.aborted) {
      let same: boolean;
      try {
        const names = await store.waitForNames(keys.inbox, index, signal);
        same = names.index === index;
        index = names.index < index ? 0 : names.index;
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (failures === 0) logger.warn({ err: error }, 'requests for certificates cannot be followed');
        await pause(backoffMs(failures, 250, 5_000), signal);
        failures += 1;
        index = 0;
        continue;
      }
      if (!same) await this.#read(signal);
    }
  }

  /**
   * Until the inbox holds nothing that is to be taken over. What a lost registry gets back from replicas would be ordered
   * again if orders were planned before. @throws RegistryError where a write is refused
   */
  async takeAll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.#read(signal)) > 0);
  }

  /** Names that were requested, and with each certificate all of its names. */
  names(certificates: readonly OwnCertificate[]): ReadonlySet<string> {
    const requested = [...this.#renewals.keys()];
    const together = certificates.filter(({ names }) =>
      requested.some((name) => names.some((each) => covers(each, name))),
    );
    return new Set([...requested, ...together.flatMap(({ names }) => names)]);
  }

  /** They were begun, or cannot be. */
  async done(names: readonly string[]): Promise<void> {
    const keys = names.flatMap((name) => this.#renewals.get(name) ?? []);
    if (keys.length === 0) return;
    for (const name of names) this.#renewals.delete(name);
    await this.#options.writer.write({ documents: new Map(keys.map((key) => [key, undefined])) });
  }

  #read(signal: AbortSignal): Promise<number> {
    const taken = this.#reading.then(() => this.#readInbox(signal));
    this.#reading = taken.catch(() => undefined);
    return taken;
  }

  /** Returns how many requests were dealt with; one to renew a name stays until it is. */
  async #readInbox(signal: AbortSignal): Promise<number> {
    const { store, keys, writer, logger, onRequest } = this.#options;
    let taken = 0;
    let documents = new Map<string, string | undefined>();
    let valueBytes = 0;
    for (const { key, value } of (await store.list(keys.inbox, signal)).data) {
      const relative = key.slice(keys.prefix.length);
      const request = readDocument(requestSchema, value);
      if (request?.kind === 'renew') {
        this.#renewals.set(normalName(request.name), relative);
        logger.info({ name: request.name, by: request.by }, 'a certificate is to be renewed now');
        continue;
      }
      taken += 1;
      valueBytes += value.length;
      documents.set(relative, undefined);
      if (request?.kind === 'adopt') this.#takeOver(request.certificate, documents);
      if (request?.kind === 'restore') this.#restore(request.key, request.value, documents);
      if (documents.size < mostDocumentsAtOnce && valueBytes < mostValueBytes) continue;
      await writer.write({ documents });
      documents = new Map();
      valueBytes = 0;
    }
    if (documents.size > 0) await writer.write({ documents });
    onRequest();
    return taken;
  }

  /** An imported certificate, unless a later one is there. What cannot be served never wins, whatever its end. */
  #takeOver(certificate: CertificateDocument, documents: Map<string, string | undefined>): void {
    const { writer, usable, logger, now, issuerName } = this.#options;
    const key = documentKeys.certificate(certificate.id);
    const value = text(certificate);
    if (certificate.notAfterMs <= now() || !usable.has(value, certificate)) return;
    const presentValue = documents.get(key) ?? writer.documents.get(key);
    const present = readDocument(certificateSchema, presentValue);
    const isKept = present !== undefined && presentValue !== undefined && usable.has(presentValue, present);
    if (isKept && certificate.notAfterMs <= present.notAfterMs) return;
    documents.set(key, value);
    documents.set(documentKeys.renewal(certificate.id), text(firstRenewal(certificate)));
    logger.info({ names: certificate.names, issuer: issuerName(certificate.issuer) }, 'a certificate was taken over');
  }

  #restore(key: string, value: string, documents: Map<string, string | undefined>): void {
    if (!isRestorable(key)) return;
    const certificate = readDocument(certificateSchema, value);
    if (certificate !== undefined && key === documentKeys.certificate(certificate.id)) {
      this.#takeOver(certificate, documents);
      return;
    }
    const account = readDocument(accountSchema, value);
    const isMissing = !documents.has(key) && !this.#options.writer.documents.has(key);
    if (account !== undefined && isMissing && key === documentKeys.account(account.issuer)) documents.set(key, value);
  }
}
