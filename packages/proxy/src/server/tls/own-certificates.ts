import { join } from 'node:path';
import type { Problem, SecretsKey, ServiceKey } from '@swarmgate/registry';
import type { Logger, Settings } from '@swarmgate/runtime';
import type { ServedService } from '../../model/served-service.ts';
import { expiringCertificates } from './certificate-expiry.ts';
import { CertificateFiles } from './certificate-files.ts';
import { CertificateStore } from './certificate-store.ts';
import { makeSelfSigned } from './self-signed.ts';
import { ServiceCertificates } from './service-certificates.ts';

export interface OwnCertificatesOptions {
  readonly settings: Pick<Settings, 'dataDir' | 'defaultCert'>;
  /** Of `SECRETS_KEY`; empty where none is set. */
  readonly keys: readonly SecretsKey[];
  /** Whether any entrypoint ends TLS: only then names without a certificate need one. */
  readonly secure: boolean;
  /** PEM of the authorities that client certificates are checked against. */
  readonly clientAuthorities: string | undefined;
  readonly logger: Logger;
  /** Default `Date.now`. */
  readonly now?: () => number;
}

/** The certificates of one proxy, from wherever it has them: files and secrets, its services, and one it made itself. */
export class OwnCertificates {
  readonly store: CertificateStore;
  readonly #files: CertificateFiles;
  readonly #ofServices: ServiceCertificates;
  readonly #now: () => number;

  private constructor(options: OwnCertificatesOptions) {
    const { settings, keys, logger, clientAuthorities } = options;
    const certificates = new CertificateStore(settings.defaultCert);
    const authorities = clientAuthorities === undefined ? {} : { clientAuthorities };
    this.store = certificates;
    this.#now = options.now ?? Date.now;
    this.#files = new CertificateFiles({
      certificates,
      directory: join(settings.dataDir, 'certs'),
      logger,
      ...authorities,
    });
    this.#ofServices = new ServiceCertificates({ certificates, keys, ...authorities });
  }

  static async open(options: OwnCertificatesOptions): Promise<OwnCertificates> {
    const own = new OwnCertificates(options);
    await own.#files.read();
    if (options.secure) own.store.replace('self-signed', [await makeSelfSigned(options.clientAuthorities)]);
    return own;
  }

  apply(changes: ReadonlyMap<ServiceKey, ServedService | undefined>): void {
    this.#ofServices.apply(changes);
  }

  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    return new Map([...expiringCertificates(this.store, this.#now()), ...this.#ofServices.problems()]);
  }

  /** Reads the files again every `everyMs` until the signal aborts. The owner awaits it. */
  follow(everyMs: number, signal: AbortSignal): Promise<void> {
    return this.#files.follow(everyMs, signal);
  }
}
