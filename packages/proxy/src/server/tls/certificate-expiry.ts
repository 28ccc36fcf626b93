import type { Problem, ServiceKey } from '@swarmgate/registry';
import type { Certificate } from './certificate.ts';
import type { CertificateSource, CertificateStore } from './certificate-store.ts';

// Leaves time to act, and is shorter than the lifetime of common certificates.
const warnBeforeMs = 14 * 86_400_000;

/** A certificate that ends soon, or has ended. `undefined`: neither. */
export function expiryProblem(
  { hosts, expiresMs }: Pick<Certificate, 'hosts' | 'expiresMs'>,
  whose: string,
  suggestion: string,
  nowMs: number,
): Problem | undefined {
  if (expiresMs - nowMs > warnBeforeMs) return undefined;
  const isOver = expiresMs <= nowMs;
  const until = new Date(expiresMs).toISOString();
  return {
    severity: 'warning',
    reason: isOver ? 'certificate-expired' : 'certificate-expiring',
    message: `${whose} for ${hosts.join(', ')} ${isOver ? 'ended' : 'ends'} at ${until}`,
    suggestion,
  };
}

/** Those of services are their services' own problem. */
const renewals: readonly (readonly [CertificateSource, (name: string) => string])[] = [
  ['file', (name) => `Replace DATA_DIR/certs/${name}.pem; it is served within seconds.`],
  ['secret', (name) => `Give the proxy a new secret cert-${name}.`],
  ['registry', (name) => `PUT a renewed one: /v1/docker-flow-proxy/cert?certName=${name}`],
];

/**
 * Certificates without a service that expire soon, as problems of this proxy's environment: `env/cert-<name>`. A
 * certificate is skipped if others replaced it for all of its names.
 */
export function expiringCertificates(
  certificates: CertificateStore,
  nowMs: number,
): ReadonlyMap<ServiceKey, readonly Problem[]> {
  const found = new Map<ServiceKey, readonly Problem[]>();
  for (const [source, renewal] of renewals) {
    for (const certificate of certificates.of(source)) {
      const { name, hosts } = certificate;
      const isServed = hosts.some((host) => certificates.find(host) === certificate);
      const problem = expiryProblem(certificate, `the certificate ${name} (${source})`, renewal(name), nowMs);
      if (problem === undefined || !isServed) continue;
      const key: ServiceKey = `env/cert-${name}`;
      found.set(key, [...(found.get(key) ?? []), problem]);
    }
  }
  return found;
}
