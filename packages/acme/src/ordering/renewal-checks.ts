import { createSignal, type Logger } from '@swarmgate/runtime';
import type { Issuer } from '../orders/issuers.ts';
import { renewalByLifetimeMs, renewalInWindowMs, renewalPollMs } from '../orders/renewal-time.ts';
import { AcmeError } from '../protocol/acme-error.ts';
import { documentKeys } from '../storage/acme-keys.ts';
import {
  type CertificateDocument,
  certificateSchema,
  type RenewalDocument,
  readDocument,
  renewalSchema,
} from '../storage/documents.ts';
import type { FencedWriter } from '../storage/fenced-writer.ts';
import type { AccountAccess } from './account-access.ts';
import { text } from './order-documents.ts';
import { isOfAll } from './order-faults.ts';

export interface RenewalChecksOptions {
  readonly writer: FencedWriter;
  readonly access: AccountAccess;
  readonly issuers: readonly Issuer[];
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
  /** A moment of renewal changed. */
  readonly onChange: () => void;
}

/** Checks at the same time. */
const mostChecks = 8;
const afterFailureMs = 3_600_000;

/** Reads the CAs' renewal information (RFC 9773) of all certificates, each when its CA requested it. */
export class RenewalChecks {
  readonly #options: RenewalChecksOptions;
  readonly #changed = createSignal();

  constructor(options: RenewalChecksOptions) {
    this.#options = options;
  }

  /** There may be a new certificate. */
  wake(): void {
    this.#changed.notify();
  }

  /** Until the signal aborts. @throws RegistryError where a write is refused */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const nowMs = this.#options.now();
      const pending = this.#pending();
      const due = pending.filter(({ checkAtMs }) => checkAtMs <= nowMs);
      for (let at = 0; at < due.length; at += mostChecks)
        await Promise.all(
          due.slice(at, at + mostChecks).map(({ certificate, renewal }) => this.#check(certificate, renewal, signal)),
        );
      if (due.length > 0) {
        this.#options.onChange();
        continue;
      }
      const nextMs = Math.min(...pending.map(({ checkAtMs }) => checkAtMs));
      await this.#changed.wait(Math.min(nextMs - nowMs, afterFailureMs), signal);
    }
  }

  #pending() {
    const { documents } = this.#options.writer;
    return [...documents].flatMap(([key, value]) => {
      if (!key.startsWith('certificates/')) return [];
      const certificate = readDocument(certificateSchema, value);
      if (certificate === undefined) return [];
      const renewal = readDocument(renewalSchema, documents.get(documentKeys.renewal(certificate.id)));
      const { checkAtMs } = renewal ?? {};
      if (renewal === undefined || checkAtMs === undefined || renewal.serial !== certificate.serial) return [];
      return [{ certificate, renewal, checkAtMs }];
    });
  }

  async #check(certificate: CertificateDocument, renewal: RenewalDocument, signal: AbortSignal): Promise<void> {
    const { writer, logger } = this.#options;
    const next = await this.#checked(certificate, renewal, signal);
    if (next.renewAtMs !== renewal.renewAtMs)
      logger.info(
        {
          names: certificate.names,
          renewAt: new Date(next.renewAtMs).toISOString(),
          from: next.source,
          why: next.window?.explanationUrl,
        },
        'the moment of renewal is set',
      );
    // Replaced in the meantime: what was read is about the former certificate.
    const present = readDocument(certificateSchema, writer.documents.get(documentKeys.certificate(certificate.id)));
    if (present?.serial !== certificate.serial) return;
    await writer.write({ documents: new Map([[documentKeys.renewal(certificate.id), text(next)]]) });
  }

  async #checked(
    certificate: CertificateDocument,
    renewal: RenewalDocument,
    signal: AbortSignal,
  ): Promise<RenewalDocument> {
    const { access, issuers, now, random, logger } = this.#options;
    const { checkAtMs: _, window: __, ...unchecked } = renewal;
    const byLifetime: RenewalDocument = {
      ...unchecked,
      renewAtMs: renewalByLifetimeMs(certificate),
      source: 'lifetime',
    };
    const issuer = issuers.find(({ id }) => id === certificate.issuer);
    if (issuer === undefined || certificate.renewalId === undefined) return byLifetime;
    try {
      const client = await access.client(issuer, signal);
      const found = await client.renewalInfo(certificate.renewalId, signal);
      if (found === undefined) return byLifetime;
      const { resource: window, retryAfterMs } = found;
      const isSame =
        renewal.source === 'ari' && renewal.window?.startMs === window.startMs && renewal.window.endMs === window.endMs;
      return {
        ...unchecked,
        renewAtMs: isSame ? renewal.renewAtMs : renewalInWindowMs(window, certificate, random()),
        source: 'ari',
        checkAtMs: now() + renewalPollMs(retryAfterMs),
        window,
      };
    } catch (error) {
      if (isOfAll(error, signal)) throw error;
      const wishMs = error instanceof AcmeError ? error.retryAfterMs : undefined;
      logger.debug({ names: certificate.names, err: error }, 'the renewal information cannot be read');
      // The CA's last renewal information still counts, and the lifetime where there was none.
      return { ...renewal, checkAtMs: now() + Math.max(afterFailureMs, wishMs ?? 0) };
    }
  }
}
