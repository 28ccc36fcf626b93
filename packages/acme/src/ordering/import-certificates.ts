import type { SecretsKey } from '@swarmgate/registry';
import { readImported } from '../certificates/read-imported.ts';
import { certificateIdOf, documentKeys } from '../storage/acme-keys.ts';
import { type CertificateDocument, certificateSchema, readDocument } from '../storage/documents.ts';
import { certificateDocument } from './order-documents.ts';
import { UsableCertificates } from './usable-certificates.ts';

/** What became of one certificate of an import. */
export interface ImportedCertificate {
  /** DNS names and addresses; empty where none can be read. */
  readonly names: readonly string[];
  readonly state: 'taken over' | 'kept' | 'expired' | 'refused';
  /** Why it was not taken over, and what to do. */
  readonly why?: string;
}

export interface ImportInput {
  /** Documents by key, as this replica last read them. */
  readonly present: ReadonlyMap<string, string>;
  readonly secretsKeys: readonly [SecretsKey, ...SecretsKey[]];
  readonly nowMs: number;
}

/**
 * Which of them are taken over: those that can be served and end later than what is served for the same names. One that is
 * refused costs itself alone.
 */
export function importCertificates(
  pems: readonly string[],
  { present, secretsKeys, nowMs }: ImportInput,
): { readonly imported: readonly ImportedCertificate[]; readonly certificates: readonly CertificateDocument[] } {
  const usable = new UsableCertificates(secretsKeys);
  const taken = new Map<string, CertificateDocument>();
  const served = (id: string): CertificateDocument | undefined => {
    const value = present.get(documentKeys.certificate(id));
    const document = readDocument(certificateSchema, value);
    return value !== undefined && document !== undefined && usable.has(value, document) ? document : undefined;
  };
  // The last end first: of two for the same names the later one counts, in whatever order they come.
  const read = pems.map((pem, at) => ({ at, found: readImported(pem, nowMs) }));
  const endOf = ({ found }: (typeof read)[number]) => (found.kind === 'usable' ? found.facts.notAfterMs : 0);
  const imported = new Map<number, ImportedCertificate>();
  for (const { at, found } of read.toSorted((a, b) => endOf(b) - endOf(a))) {
    if (found.kind !== 'usable') {
      imported.set(at, { names: found.names, state: found.kind, why: found.why });
      continue;
    }
    const { names, notAfterMs, serial } = found.facts;
    const known = taken.get(certificateIdOf(names)) ?? served(certificateIdOf(names));
    if (known !== undefined && known.notAfterMs >= notAfterMs) {
      const why = known.serial === serial ? 'it is served already' : 'a later one is served';
      imported.set(at, { names, state: 'kept', why });
      continue;
    }
    const certificate = certificateDocument({
      names,
      chain: found.chain,
      privateKey: found.privateKey,
      issuer: 'imported',
      issuedAtMs: nowMs,
      keys: secretsKeys,
    });
    taken.set(certificate.id, certificate);
    imported.set(at, { names, state: 'taken over' });
  }
  return { imported: pems.map((_, at) => imported.get(at) as ImportedCertificate), certificates: [...taken.values()] };
}
