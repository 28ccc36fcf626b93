import type { SecretsKey } from '@swarmgate/registry';
import { readIssued } from '../certificates/issued.ts';
import { objectionToChain } from '../certificates/issued-check.ts';
import type { CertificateDocument } from '../storage/documents.ts';
import { certificateKey } from './order-documents.ts';

/**
 * Whether certificates in the registry can be served: the key opens with `SECRETS_KEY` and fits, and the document equals
 * the certificate. Opening takes a while, so each value is looked at once.
 */
export class UsableCertificates {
  readonly #secretsKeys: readonly SecretsKey[];
  readonly #known = new Map<string, { readonly value: string; readonly isUsable: boolean }>();

  constructor(secretsKeys: readonly SecretsKey[]) {
    this.#secretsKeys = secretsKeys;
  }

  /** @param value the document's text */
  has(value: string, certificate: CertificateDocument): boolean {
    const known = this.#known.get(certificate.id);
    if (known?.value === value) return known.isUsable;
    const isUsable = this.#isUsable(certificate);
    this.#known.set(certificate.id, { value, isUsable });
    return isUsable;
  }

  #isUsable(certificate: CertificateDocument): boolean {
    const privateKey = certificateKey(certificate, this.#secretsKeys);
    if (privateKey === undefined) return false;
    const { chain, names, notAfterMs, serial } = certificate;
    if (objectionToChain(chain, privateKey, names) !== undefined) return false;
    const issued = readIssued(chain);
    return issued.serial === serial && issued.notAfterMs === notAfterMs;
  }
}
