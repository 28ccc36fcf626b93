import { readCertificate } from '../src/server/tls/certificate.ts';
import type { CertificateStore } from '../src/server/tls/certificate-store.ts';
import { testCertificate } from './test-certificate.ts';

/** Puts a certificate for these names in force, as one of the operator's files. */
export async function serveCertificate(certificates: CertificateStore, names: readonly string[]): Promise<void> {
  const read = readCertificate('own', (await testCertificate(names)).pem, undefined);
  if (!read.ok) throw new Error(read.reason);
  certificates.replace('file', [read.certificate]);
}
