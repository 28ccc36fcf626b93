import { createHash, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { Extension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { cryptoKeys, makeKey } from './request.ts';

/** id-pe-acmeIdentifier (RFC 8737, section 3). */
const acmeIdentifier = '1.3.6.1.5.5.7.1.31';
const lifeMs = 7 * 86_400_000;
/** A CA whose clock is behind must not find a certificate of the future. */
const beforeMs = 86_400_000;

/** The self-signed certificate that answers tls-alpn-01 for one name (RFC 8737), and its key, both PEM. */
export async function makeTlsAlpnCertificate(
  name: string,
  keyAuthorization: string,
  nowMs: number,
): Promise<{ readonly certificate: string; readonly privateKey: string }> {
  const key = makeKey();
  const digest = createHash('sha256').update(keyAuthorization).digest();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      keys: await cryptoKeys(key),
      name: 'CN=acme challenge',
      notBefore: new Date(nowMs - beforeMs),
      notAfter: new Date(nowMs + lifeMs),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [
        new SubjectAlternativeNameExtension([{ type: isIP(name) === 0 ? 'dns' : 'ip', value: name }]),
        // Critical, and within: an OCTET STRING of 32 bytes.
        new Extension(acmeIdentifier, true, Buffer.concat([Buffer.of(0x04, 0x20), digest])),
      ],
    },
    webcrypto,
  );
  return {
    certificate: certificate.toString('pem'),
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
