import { createHash, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { Extension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { pemOf } from './pem.ts';

/** id-pe-acmeIdentifier (RFC 8737, section 3). */
const acmeIdentifier = '1.3.6.1.5.5.7.1.31';
const lifeMs = 7 * 86_400_000;
/** A CA whose clock is behind must not find a certificate of the future. */
const beforeMs = 86_400_000;

/** A certificate and its private key, both PEM. */
export interface AlpnPair {
  readonly certificate: string;
  readonly privateKey: string;
}

interface Keys {
  readonly pair: webcrypto.CryptoKeyPair;
  readonly pem: string;
  readonly signing: { readonly name: string; readonly hash: string };
}

const algorithms = [
  { generate: { name: 'ECDSA', namedCurve: 'P-256' }, signing: { name: 'ECDSA', hash: 'SHA-256' } },
  {
    generate: {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      publicExponent: new Uint8Array([1, 0, 1]),
      modulusLength: 2048,
    },
    signing: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  },
] as const;

/** Of this process: such a certificate is worth nothing once its challenge is over, so its key need not be new. */
let keys: Promise<readonly Keys[]> | undefined;

/**
 * The self-signed certificates that respond to tls-alpn-01 for one name (RFC 8737), one for ECDSA and one for RSA: OpenSSL
 * keeps one certificate for each kind of key, and the CA would be shown the one of the other kind that serves the name.
 */
export async function makeAlpnPairs(
  name: string,
  keyAuthorization: string,
  nowMs: number,
): Promise<readonly AlpnPair[]> {
  keys ??= makeKeys();
  const digest = createHash('sha256').update(keyAuthorization).digest();
  return Promise.all(
    (await keys).map(async ({ pair, pem, signing }) => {
      const certificate = await X509CertificateGenerator.createSelfSigned(
        {
          keys: pair,
          name: 'CN=acme challenge',
          notBefore: new Date(nowMs - beforeMs),
          notAfter: new Date(nowMs + lifeMs),
          signingAlgorithm: signing,
          extensions: [
            new SubjectAlternativeNameExtension([{ type: isIP(name) === 0 ? 'dns' : 'ip', value: name }]),
            // Critical, and within: an OCTET STRING of 32 bytes.
            new Extension(acmeIdentifier, true, Buffer.concat([Buffer.of(0x04, 0x20), digest])),
          ],
        },
        webcrypto,
      );
      return { certificate: certificate.toString('pem'), privateKey: pem };
    }),
  );
}

async function makeKeys(): Promise<readonly Keys[]> {
  const { subtle } = webcrypto;
  return Promise.all(
    algorithms.map(async ({ generate, signing }) => {
      const pair = (await subtle.generateKey(generate, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
      const pem = pemOf('PRIVATE KEY', new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey)));
      return { pair, pem, signing };
    }),
  );
}
