import { X509Certificate } from 'node:crypto';
import { AuthorityKeyIdentifierExtension, X509Certificate as ParsedCertificate } from '@peculiar/x509';
import { normalName } from '../names/name-kind.ts';

/** What a certificate states. Times in milliseconds since the epoch. */
export interface IssuedFacts {
  /** DNS names and addresses, lower case. */
  readonly names: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Hexadecimal, upper case, as OpenSSL writes it. */
  readonly serial: string;
  /** ARI's name of it (RFC 9773, section 4.1); absent where it lacks an authority key identifier. */
  readonly renewalId?: string;
}

/** @param chain PEM, leaf first. @throws Error where it holds no certificate that can be read */
export function readIssued(chain: string): IssuedFacts {
  const leaf = new X509Certificate(chain);
  const renewalId = renewalIdOf(leaf);
  return {
    names: namesOf(leaf),
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: leaf.validToDate.getTime(),
    serial: leaf.serialNumber,
    ...(renewalId === undefined ? {} : { renewalId }),
  };
}

function namesOf(leaf: X509Certificate): string[] {
  const found = [...(leaf.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)];
  // Node writes an IPv6 address with all of its zeros.
  return [...new Set(found.map((match) => normalName(String(match[1]))))];
}

function renewalIdOf(leaf: X509Certificate): string | undefined {
  const parsed = new ParsedCertificate(leaf.raw);
  const keyId = parsed.getExtension(AuthorityKeyIdentifierExtension)?.keyId;
  if (keyId === undefined) return undefined;
  // The serial as DER writes an integer: a leading zero where the first bit would mean a negative number.
  const hex = leaf.serialNumber.length % 2 === 0 ? leaf.serialNumber : `0${leaf.serialNumber}`;
  const bytes = Buffer.from(hex, 'hex');
  const serial = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  return `${Buffer.from(keyId, 'hex').toString('base64url')}.${serial.toString('base64url')}`;
}
