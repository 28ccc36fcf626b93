import type { Problem, ServiceKey } from '@swarmgate/registry';
import { isCovered, nameKind } from '../names/name-kind.ts';
import type { RequiredName, ServiceNames } from '../names/select-names.ts';
import type { IssuerNames } from '../orders/issuers.ts';
import type { AcmeView } from '../storage/acme-follower.ts';
import { documentKeys } from '../storage/acme-keys.ts';
import {
  type CertificateDocument,
  certificateSchema,
  type NameDocument,
  nameSchema,
  readDocument,
  renewalSchema,
} from '../storage/documents.ts';

/** A certificate that was ordered, as `GET /v1/certificates` shows it. Times are ISO 8601. */
export interface OrderedCertificate {
  readonly id: string;
  readonly names: readonly string[];
  readonly issuer: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Absent where no route has its names any more: it is not renewed. */
  readonly renewAt?: string;
  /** The CA's renewal information, or the lifetime. */
  readonly renewFrom?: 'ari' | 'lifetime';
  readonly services: readonly string[];
}

/** A name without a certificate, or whose renewal failed. */
export interface WaitingName {
  readonly name: string;
  readonly services: readonly string[];
  /** `impossible`: it is not ordered; `detail` has the reason. */
  readonly state: 'ordering' | 'failed' | 'waiting' | 'impossible';
  readonly failures: number;
  readonly nextAttempt?: string;
  /** The CA's problem type and text. */
  readonly type?: string;
  readonly detail?: string;
  readonly issuer?: string;
}

export function certificatesIn({ documents }: AcmeView): CertificateDocument[] {
  return [...documents].flatMap(([key, value]) =>
    key.startsWith('certificates/') ? (readDocument(certificateSchema, value) ?? []) : [],
  );
}

export function namesIn({ documents }: AcmeView): NameDocument[] {
  return [...documents].flatMap(([key, value]) =>
    key.startsWith('names/') ? (readDocument(nameSchema, value) ?? []) : [],
  );
}

export function listOrdered(
  view: AcmeView,
  required: readonly RequiredName[],
  issuerName: IssuerNames,
): readonly OrderedCertificate[] {
  return certificatesIn(view)
    .map((certificate): OrderedCertificate => {
      const { id, names, issuer, serial, notBeforeMs, notAfterMs } = certificate;
      const renewal = readDocument(renewalSchema, view.documents.get(documentKeys.renewal(id)));
      const covering = new Set(names);
      const services = required.filter(({ name }) => isCovered(name, covering)).flatMap((each) => each.services);
      return {
        id,
        names,
        issuer: issuerName(issuer),
        serial,
        notBefore: iso(notBeforeMs),
        notAfter: iso(notAfterMs),
        ...(renewal === undefined || services.length === 0
          ? {}
          : { renewAt: iso(renewal.renewAtMs), renewFrom: renewal.source }),
        services: [...new Set(services)],
      };
    })
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Names that no living certificate covers, and those whose last try failed. */
export function listWaiting(
  view: AcmeView,
  required: readonly RequiredName[],
  issuerName: IssuerNames,
  nowMs: number,
): readonly WaitingName[] {
  const alive = certificatesIn(view).filter(({ notAfterMs }) => notAfterMs > nowMs);
  const covered = new Set(alive.flatMap(({ names }) => names));
  const wildcards = new Set(required.map(({ name }) => name).filter((name) => nameKind(name) === 'wildcard'));
  const known = new Map(namesIn(view).map((each) => [each.name, each]));
  return required.flatMap(({ name, services }): WaitingName[] => {
    const state = known.get(name);
    const isServedByWildcard = nameKind(name) === 'dns' && isCovered(name, wildcards);
    if (state === undefined && (isCovered(name, covered) || isServedByWildcard)) return [];
    const { failures = 0, nextAttemptMs, failure } = state ?? {};
    return [
      {
        name,
        services,
        failures,
        state: state === undefined ? 'ordering' : failures > 0 ? 'failed' : 'waiting',
        ...(nextAttemptMs === undefined ? {} : { nextAttempt: iso(nextAttemptMs) }),
        ...(failure === undefined
          ? {}
          : { type: failure.type, detail: failure.detail, issuer: issuerName(failure.issuer) }),
      },
    ];
  });
}

/** Names that are not ordered at all, with what is to be done. `problems` are those of `selectNames`. */
export function listImpossible(
  problems: ReadonlyMap<ServiceKey, readonly Problem[]>,
  services: readonly ServiceNames[],
): readonly WaitingName[] {
  const found = new Map<string, { readonly problem: Problem; readonly services: Set<ServiceKey> }>();
  for (const [key, list] of problems)
    for (const problem of list) {
      // A problem of the label `acme` is one of every name of the service.
      const ofLabel = services.filter((each) => each.key === key).flatMap((each) => each.names);
      for (const name of problem.label === undefined ? [problem.value ?? key] : ofLabel) {
        const known = found.get(name);
        if (known === undefined) found.set(name, { problem, services: new Set([key]) });
        else known.services.add(key);
      }
    }
  return [...found].map(
    ([name, { problem, services: keys }]): WaitingName => ({
      name,
      services: [...keys],
      state: 'impossible',
      failures: 0,
      type: problem.reason,
      detail: problem.suggestion === undefined ? problem.message : `${problem.message}: ${problem.suggestion}`,
    }),
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
