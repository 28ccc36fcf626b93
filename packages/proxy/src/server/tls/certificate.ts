import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { SecureContext } from 'node:tls';
import { messageOf } from '@swarmgate/runtime';
import { createClientContext } from './client-context.ts';

/** A certificate chain with its key, ready to be served. */
export interface Certificate {
  /** What the operator calls it: the file's or the service's name. */
  readonly name: string;
  /** DNS names and addresses it is good for, lower case; `*.example.com` for a wildcard, IPv6 in its short form. */
  readonly hosts: readonly string[];
  /** Both in milliseconds since the epoch. */
  readonly validFromMs: number;
  readonly expiresMs: number;
  /** PEM, leaf first. */
  readonly cert: string;
  readonly key: string;
  readonly context: SecureContext;
}

export type ReadCertificate =
  | { readonly ok: true; readonly certificate: Certificate }
  /** Never holds any part of the key. */
  | { readonly ok: false; readonly reason: string };

/**
 * Reads one PEM that holds certificate, chain and private key in any order, as Docker Flow takes it.
 * @param clientAuthorities PEM of the authorities that client certificates are checked against (`CA_FILE`). Given by every
 *   caller: a context without them trusts all of Node's default authorities.
 */
export function readCertificate(name: string, pem: string, clientAuthorities: string | undefined): ReadCertificate {
  const chain = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const key = /-----BEGIN (?:RSA |EC )?PRIVATE KEY-----[\s\S]+?-----END (?:RSA |EC )?PRIVATE KEY-----/.exec(pem)?.[0];
  if (chain.length === 0) return { ok: false, reason: `${name} holds no certificate` };
  if (key === undefined) return { ok: false, reason: `${name} holds no private key (encrypted keys are not read)` };
  try {
    const privateKey = createPrivateKey(key);
    const certificates = chain.map((part) => new X509Certificate(part));
    const leaf = certificates.find((each) => each.checkPrivateKey(privateKey));
    if (leaf === undefined)
      return { ok: false, reason: `the private key of ${name} belongs to none of its certificates` };
    const cert = [leaf, ...certificates.filter((each) => each !== leaf)].map((each) => each.toString()).join('');
    const context = createClientContext({ cert, key, clientAuthorities });
    const validFromMs = leaf.validFromDate.getTime();
    const expiresMs = leaf.validToDate.getTime();
    return { ok: true, certificate: { name, hosts: hostsOf(leaf), validFromMs, expiresMs, cert, key, context } };
  } catch (error) {
    return { ok: false, reason: `${name} cannot be used: ${messageOf(error)}` };
  }
}

function hostsOf(leaf: X509Certificate): string[] {
  const found = (leaf.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g);
  const names = [...found].map((match) => shortAddress(String(match[1])));
  // Certificates without alternative names are long obsolete, and still in use inside companies.
  if (names.length === 0) {
    const commonName = /(?:^|\n)CN=([^\n]+)/.exec(leaf.subject)?.[1];
    if (commonName !== undefined) names.push(commonName);
  }
  return [...new Set(names.map((each) => each.toLowerCase()))];
}

/** Node writes an IPv6 address with all of its zeros. */
function shortAddress(name: string): string {
  return isIPv6(name) ? new URL(`http://[${name}]/`).hostname.slice(1, -1) : name;
}
