import { type Certificate, readCertificate } from './certificate.ts';

const validForMs = 10 * 365 * 86_400_000;

/**
 * A self-signed certificate for server names without one: the client then reports what is wrong, which it would not after a
 * failed handshake.
 */
export async function makeSelfSigned(
  clientAuthorities: string | undefined,
  now: Date = new Date(),
): Promise<Certificate> {
  const name = 'no-certificate-for-this-name.swarmgate.invalid';
  // Loaded where it is needed: it costs 15 MB, and of many workers none makes a certificate.
  const { generate } = await import('selfsigned');
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(now.getTime() - 86_400_000),
    notAfterDate: new Date(now.getTime() + validForMs),
  });
  const read = readCertificate('self-signed', `${made.cert}\n${made.private}`, clientAuthorities);
  if (!read.ok) throw new TypeError(`the certificate that was just made cannot be read: ${read.reason}`);
  return read.certificate;
}
