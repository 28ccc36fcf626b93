import { openCertificate, type Problem, type SecretsKey, type ServiceKey } from '@swarmgate/registry/vocabulary';
import type { ServedService } from '../../model/served-service.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { expiryProblem } from './certificate-expiry.ts';
import type { CertificateStore } from './certificate-store.ts';

export interface ServiceCertificatesOptions {
  readonly certificates: CertificateStore;
  /** Of `SECRETS_KEY`; empty where none is set. */
  readonly keys: readonly SecretsKey[];
  readonly clientAuthorities?: string;
  readonly now?: () => number;
}

/** The certificates that services bring along (`serviceCert`), opened and served while their services are there. */
export class ServiceCertificates {
  readonly #options: ServiceCertificatesOptions;
  readonly #now: () => number;
  readonly #served = new Map<ServiceKey, { readonly sealed: string; readonly certificate: Certificate }>();
  readonly #unusable = new Map<ServiceKey, Problem>();

  constructor(options: ServiceCertificatesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  apply(changes: ReadonlyMap<ServiceKey, ServedService | undefined>): void {
    let changed = false;
    for (const [key, served] of changes) {
      const sealed = served?.definition.serviceCert;
      if (sealed !== undefined && this.#served.get(key)?.sealed === sealed) continue;
      this.#unusable.delete(key);
      changed = this.#served.delete(key) || changed;
      if (sealed === undefined) continue;
      const opened = this.#open(key, sealed);
      if ('problem' in opened) {
        this.#unusable.set(key, opened.problem);
        continue;
      }
      this.#served.set(key, { sealed, certificate: opened.certificate });
      changed = true;
    }
    if (!changed) return;
    const inOrder = [...this.#served].sort(([one], [other]) => (one < other ? -1 : 1));
    this.#options.certificates.replace(
      'service',
      inOrder.map(([, { certificate }]) => certificate),
    );
  }

  problems(): ReadonlyMap<ServiceKey, readonly Problem[]> {
    const found = new Map<ServiceKey, readonly Problem[]>();
    for (const [key, problem] of this.#unusable) found.set(key, [problem]);
    for (const [key, { certificate }] of this.#served) {
      const mend = 'Put a renewed certificate into com.df.serviceCert.';
      const expiry = expiryProblem(certificate, `the certificate of ${key}`, mend, this.#now());
      const its = [expiry, ...outranked(certificate, this.#options.certificates)].filter((each) => each !== undefined);
      if (its.length > 0)
        found.set(
          key,
          its.map((problem) => ({ ...problem, label: 'serviceCert' })),
        );
    }
    return found;
  }

  #open(key: ServiceKey, sealed: string): { readonly certificate: Certificate } | { readonly problem: Problem } {
    const { keys, clientAuthorities } = this.#options;
    const opened = openCertificate(sealed, key, keys);
    if (!opened.ok) {
      const unknown = opened.reason === 'key-unknown';
      return {
        problem: {
          severity: 'warning',
          reason: 'certificate-unreadable',
          message: unknown
            ? `the private key of ${key} was encrypted with a SECRETS_KEY that this proxy does not have`
            : `the certificate of ${key} was changed after it was encrypted`,
          label: 'serviceCert',
          suggestion: unknown
            ? 'Give all listeners and proxies the same SECRETS_KEY.'
            : 'Publish the service again with com.df.serviceCert.',
        },
      };
    }
    const { certificate, privateKey } = opened.pair;
    const read = readCertificate(key, `${certificate}\n${privateKey}`, clientAuthorities);
    if (read.ok) return { certificate: read.certificate };
    return {
      problem: {
        severity: 'warning',
        reason: 'certificate-unusable',
        message: read.reason,
        label: 'serviceCert',
        suggestion: 'Give com.df.serviceCert a certificate and its private key, both PEM.',
      },
    };
  }
}

/** Names of a service's certificate for which another one is served, by the one that is. */
function outranked(certificate: Certificate, certificates: CertificateStore): readonly Problem[] {
  const lost = new Map<Certificate, string[]>();
  for (const host of certificate.hosts) {
    const winner = certificates.find(host);
    // Services that share a domain bring along the same certificate, and it does not matter whose is served.
    if (winner === undefined || winner.cert === certificate.cert) continue;
    lost.set(winner, [...(lost.get(winner) ?? []), host]);
  }
  return [...lost].map(([winner, hosts]) => {
    const from = certificates.sourceOf(winner);
    const whose = from === 'service' ? `the certificate of ${winner.name}` : `the certificate ${winner.name} (${from})`;
    return {
      severity: 'warning',
      reason: 'certificate-outranked',
      message: `${hosts.join(', ')}: ${whose} is served instead of that of ${certificate.name}`,
      suggestion: `Remove ${winner.name}'s, or leave these names, or com.df.serviceCert, out of ${certificate.name}.`,
    };
  });
}
