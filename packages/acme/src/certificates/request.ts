import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** A new ECDSA P-256 key, PKCS #8 in PEM. */
export function makePrivateKey(): string {
  return makeKey().export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function makeKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/**
 * A certificate signing request in DER for DNS names and addresses, signed with that key. The subject stays empty: CAs
 * take the names from the extension, and a common name is limited to 64 characters.
 */
export async function makeRequest(names: readonly string[], key: KeyObject): Promise<Buffer> {
  const keys = await cryptoKeys(key);
  const request = await Pkcs10CertificateRequestGenerator.create(
    {
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [
        new SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
        ),
      ],
    },
    webcrypto,
  );
  return Buffer.from(request.rawData);
}

export async function cryptoKeys(key: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const jwk = key.export({ format: 'jwk' });
  const { d: _, ...publicPart } = jwk;
  const { subtle } = webcrypto;
  return {
    privateKey: await subtle.importKey('jwk', jwk as webcrypto.JsonWebKey, algorithm, true, ['sign']),
    publicKey: await subtle.importKey('jwk', publicPart as webcrypto.JsonWebKey, algorithm, true, ['verify']),
  };
}
