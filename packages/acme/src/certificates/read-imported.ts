import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { splitPem } from '@swarmgate/registry';
import { messageOf } from '@swarmgate/runtime';
import { type IssuedFacts, readIssued } from './issued.ts';

/** What a PEM for the import holds. `names` are empty where none can be read; `why` states what to do, and never holds any part of the key. */
export type ImportedPem =
  | { readonly kind: 'usable'; readonly chain: string; readonly privateKey: string; readonly facts: IssuedFacts }
  | { readonly kind: 'expired'; readonly names: readonly string[]; readonly why: string }
  | { readonly kind: 'refused'; readonly names: readonly string[]; readonly why: string };

/**
 * Whether a certificate of another program can be served: a key that fits, a chain that belongs together, not over.
 * @param pem certificate, chain and key in any order
 */
export function readImported(pem: string, nowMs: number): ImportedPem {
  const pair = splitPem(pem);
  const certificates = pair === undefined ? readCertificates(pem) : readCertificates(pair.certificate);
  const names = namesOf(certificates);
  const refused = (why: string): ImportedPem => ({ kind: 'refused', names, why });
  if (pem.includes('BEGIN ENCRYPTED PRIVATE KEY'))
    return refused('its private key is encrypted: decrypt it first (openssl pkey -in KEY -out PLAIN)');
  if (pair === undefined)
    return refused('a certificate and its private key are needed, both PEM: give them in one file');
  if (certificates === undefined) return refused('a certificate of it is damaged: copy the file again');
  const key = readKey(pair.privateKey);
  if (key === undefined) return refused('its private key is damaged: copy the file again');

  const leaf = certificates.find((each) => each.checkPrivateKey(key));
  if (leaf === undefined)
    return refused('the private key belongs to another certificate: give the key that this certificate was made with');
  const others = certificates.filter((each) => each !== leaf);
  if (others.length > 0 && !others.some((each) => leaf.checkIssued(each) && leaf.verify(each.publicKey)))
    return refused(
      `no certificate of the chain issued it (${leaf.issuer.replaceAll('\n', ', ')}): give the chain that the CA sent with it`,
    );
  const chain = [leaf, ...others].map((each) => each.toString()).join('');
  const facts = readFacts(chain);
  if (facts === undefined) return refused('a certificate of it is damaged: copy the file again');
  const from = new Date(facts.notBeforeMs).toISOString();
  const to = new Date(facts.notAfterMs).toISOString();
  if (facts.names.length === 0) return refused('it names no host (no subject alternative name): order a new one');
  if (facts.notAfterMs <= nowMs) return { kind: 'expired', names: facts.names, why: `it ended at ${to}` };
  if (facts.notBeforeMs > nowMs) return refused(`it begins at ${from}: import it then, or set the clock of the proxy`);
  try {
    createSecureContext({ cert: chain, key: pair.privateKey });
  } catch (error) {
    return refused(`TLS cannot use it (${messageOf(error)}): order a new one`);
  }
  return { kind: 'usable', chain, privateKey: `${pair.privateKey}\n`, facts };
}

function readCertificates(text: string): readonly X509Certificate[] | undefined {
  try {
    return (text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
      (each) => new X509Certificate(each),
    );
  } catch {
    return undefined;
  }
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function readFacts(chain: string): IssuedFacts | undefined {
  try {
    return readIssued(chain);
  } catch {
    return undefined;
  }
}

function namesOf(certificates: readonly X509Certificate[] | undefined): readonly string[] {
  const [first] = certificates ?? [];
  return first === undefined ? [] : (readFacts(first.toString())?.names ?? []);
}
