import { createPrivateKey, X509Certificate } from 'node:crypto';
import { normalName } from '../names/name-kind.ts';
import { readIssued } from './issued.ts';

/**
 * What is wrong with a chain that a CA sent, or that stands in the registry; `undefined`: it can be served for these names.
 * @param chain PEM, leaf first
 * @param privateKey PEM
 */
export function objectionToChain(chain: string, privateKey: string, names: readonly string[]): string | undefined {
  try {
    const leaf = new X509Certificate(chain);
    if (!leaf.checkPrivateKey(createPrivateKey(privateKey))) return 'the certificate is for another key';
    const covered = new Set(readIssued(chain).names);
    const missing = names.filter((name) => !covered.has(normalName(name)));
    return missing.length === 0 ? undefined : `the certificate does not hold ${missing.join(', ')}`;
  } catch {
    return 'unreadable';
  }
}
