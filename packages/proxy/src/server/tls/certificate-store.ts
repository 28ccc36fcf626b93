import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Certificate } from './certificate.ts';

/**
 * Where a certificate came from. Later ones in this order win for the same host: one that a service brings along never
 * takes the place of one that the operator has given for that host, and one that was ordered takes the place of none.
 */
export const certificateSources = ['self-signed', 'acme', 'service', 'file', 'secret', 'registry'] as const;
export type CertificateSource = (typeof certificateSources)[number];

/** A certificate as it may be shown. */
export interface CertificateListing {
  readonly name: string;
  readonly hosts: readonly string[];
  /** ISO 8601. */
  readonly expiresAt: string;
  readonly from: CertificateSource;
}

/** The certificates of this process, chosen by server name; swapped without touching open connections. */
export class CertificateStore {
  readonly #defaultName: string | undefined;
  readonly #bySource = new Map<CertificateSource, readonly Certificate[]>();
  readonly #followers = new Set<(certificate: Certificate) => void>();
  readonly #onChange = new Set<() => void>();
  #byHost: ReadonlyMap<string, Certificate> = new Map();
  #default: Certificate | undefined;
  #nameless: Certificate | undefined;

  /** @param defaultName `DEFAULT_CERT`: the one for server names that have none of their own. */
  constructor(defaultName?: string) {
    this.#defaultName = defaultName;
  }

  /** Replaces all certificates of one source. */
  replace(source: CertificateSource, certificates: readonly Certificate[]): void {
    this.#bySource.set(source, certificates);
    const byHost = new Map<string, Certificate>();
    for (const each of this.all()) for (const host of each.hosts) byHost.set(host, each);
    this.#byHost = byHost;
    this.#default = this.#chooseDefault() ?? this.#default;
    const nameless = this.#namedDefault() ?? this.#forAddress() ?? this.#default;
    if (nameless !== undefined && nameless !== this.#nameless) {
      this.#nameless = nameless;
      for (const follower of this.#followers) follower(nameless);
    }
    for (const each of this.#onChange) each();
  }

  /** Calls after every change. */
  onChange(follower: () => void): () => void {
    this.#onChange.add(follower);
    return () => this.#onChange.delete(follower);
  }

  all(): readonly Certificate[] {
    return certificateSources.flatMap((source) => this.#bySource.get(source) ?? []);
  }

  of(source: CertificateSource): readonly Certificate[] {
    return this.#bySource.get(source) ?? [];
  }

  /** Where one of these certificates came from. */
  sourceOf(certificate: Certificate): CertificateSource | undefined {
    return certificateSources.find((source) => this.of(source).includes(certificate));
  }

  /** Whether there is nothing to serve but, at most, a self-signed one. */
  get isEmpty(): boolean {
    return certificateSources.every(
      (source) => source === 'self-signed' || (this.#bySource.get(source) ?? []).length === 0,
    );
  }

  listing(): readonly CertificateListing[] {
    return certificateSources.flatMap((from) =>
      (this.#bySource.get(from) ?? []).map(({ name, hosts, expiresMs }) => ({
        name,
        hosts,
        expiresAt: new Date(expiresMs).toISOString(),
        from,
      })),
    );
  }

  /** The exact name, else a wildcard for its parent, else the default. `undefined`: there is no certificate at all. */
  contextFor(servername: string): SecureContext | undefined {
    return this.find(servername)?.context;
  }

  find(servername: string): Certificate | undefined {
    return this.findNamed(servername) ?? this.#default;
  }

  /** One that names the host, itself or by a wildcard. */
  findNamed(servername: string): Certificate | undefined {
    const name = servername.toLowerCase().replace(/\.$/, '');
    // A wildcard stands for exactly one label (RFC 9525, section 6.3).
    const parent = name.slice(name.indexOf('.') + 1);
    return this.#byHost.get(name) ?? this.#byHost.get(`*.${parent}`);
  }

  /**
   * Calls at once with the certificate for clients that send no server name, and on every change of it: `DEFAULT_CERT`, else
   * one for an address, because clients of an address send none (RFC 6066, section 3), else the default.
   */
  onNameless(follower: (certificate: Certificate) => void): () => void {
    this.#followers.add(follower);
    if (this.#nameless !== undefined) follower(this.#nameless);
    return () => this.#followers.delete(follower);
  }

  #namedDefault(): Certificate | undefined {
    const required = this.#defaultName;
    if (required === undefined) return undefined;
    return this.all().findLast((each) => each.name === required || each.name === stem(required));
  }

  /** Of several addresses the one of the preferred source, and there the last one; never one that a service brings along. */
  #forAddress(): Certificate | undefined {
    const ofServices = this.of('service');
    return this.all().findLast((each) => each.hosts.some((host) => isIP(host) !== 0) && !ofServices.includes(each));
  }

  /**
   * `DEFAULT_CERT`, else the oldest certificate, which is the same on every replica: one that a service brings along only where
   * there is no other, so that no service's certificate is shown for unknown names; the self-signed one only where there is none at all.
   */
  #chooseDefault(): Certificate | undefined {
    const sources = certificateSources.filter((source) => source !== 'self-signed' && source !== 'service');
    const given = sources.flatMap((source) => this.of(source));
    return (
      this.#namedDefault() ??
      // One that holds addresses alone is for clients without a server name.
      oldest(given.filter(({ hosts }) => hosts.some((host) => isIP(host) === 0))) ??
      oldest(given) ??
      oldest(this.of('service')) ??
      this.of('self-signed')[0]
    );
  }
}

function oldest(certificates: readonly Certificate[]): Certificate | undefined {
  return certificates.toSorted(
    (one, other) => one.validFromMs - other.validFromMs || (one.name < other.name ? -1 : 1),
  )[0];
}

function stem(file: string): string {
  return file.replace(/\.(pem|crt)$/, '');
}
