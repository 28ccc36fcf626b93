import type { Problem, ServiceKey } from '@swarmgate/registry';
import { isCovered } from '../names/name-kind.ts';
import type { RequiredName } from '../names/select-names.ts';
import type { Failure } from '../orders/failure.ts';
import type { IssuerNames } from '../orders/issuers.ts';
import { failureProblem } from '../orders/mend.ts';
import { endsSoonMs } from '../orders/renewal-time.ts';
import type { AcmeView } from '../storage/acme-follower.ts';
import { documentKeys } from '../storage/acme-keys.ts';
import { noticeSchema, readDocument } from '../storage/documents.ts';
import { certificatesIn, namesIn } from './certificate-listing.ts';

/** A replica that was late once is no problem for longer than this, in milliseconds. */
const noticeMs = 3_600_000;

/** Failed and waiting names, certificates that end soon, replicas that did not confirm: each a problem of its services. */
export function certificateProblems(
  view: AcmeView,
  required: readonly RequiredName[],
  issuerName: IssuerNames,
  nowMs: number,
): ReadonlyMap<ServiceKey, readonly Problem[]> {
  const found = new Map<ServiceKey, Problem[]>();
  const report = (key: ServiceKey, problem: Problem) => {
    const known = found.get(key);
    if (known === undefined) found.set(key, [problem]);
    else known.push(problem);
  };
  const shown = (failure: Failure): Failure => ({ ...failure, issuer: issuerName(failure.issuer) });
  const servicesOf = new Map(required.map(({ name, services }) => [name, services]));
  for (const { name, failure, nextAttemptMs } of namesIn(view)) {
    if (failure === undefined) continue;
    for (const key of servicesOf.get(name) ?? []) report(key, failureProblem(name, shown(failure), nextAttemptMs));
  }
  for (const problem of endingSoon(view, required, issuerName, nowMs)) report(problem.service, problem.problem);
  const notice = readDocument(noticeSchema, view.documents.get(documentKeys.lateReplicas));
  if (notice?.kind === 'replicas-late' && nowMs - notice.atMs < noticeMs)
    report('env/acme', {
      severity: 'warning',
      reason: 'acme-replicas-late',
      message: `${notice.replicas.join(', ')} did not confirm a challenge response within 15 s (${new Date(notice.atMs).toISOString()}): the CA was notified without waiting any longer`,
      suggestion:
        'set ACME_DIRECTORY on every replica, and look whether these reach the registry; a validation that meets one of them fails',
    });
  for (const [key, value] of view.documents) {
    const clock = key.startsWith(documentKeys.clock('')) ? readDocument(noticeSchema, value) : undefined;
    if (clock?.kind === 'clock-off') report('env/acme', clockOff(issuerName(clock.issuer), clock.aheadMs));
  }
  return found;
}

function clockOff(issuer: string, aheadMs: number): Problem {
  const hours = Math.round(Math.abs(aheadMs) / 3_600_000);
  return {
    severity: 'warning',
    reason: 'acme-clock-off',
    message: `the clock of the proxy that orders certificates is ${hours} h ${aheadMs > 0 ? 'behind' : 'ahead of'} that of ${issuer}: times of retries and renewals are wrong by as much`,
    suggestion: 'set the clocks of the machines (NTP); with a CA of your own, look at its clock too',
  };
}

function endingSoon(view: AcmeView, required: readonly RequiredName[], issuerName: IssuerNames, nowMs: number) {
  const certificates = certificatesIn(view);
  const fresh = new Set(certificates.filter((each) => endsSoonMs(each) > nowMs).flatMap(({ names }) => names));
  return certificates
    .filter((each) => endsSoonMs(each) <= nowMs)
    .flatMap(({ names, notAfterMs, issuer }) => {
      const covering = new Set(names);
      const affected = required.filter(({ name }) => isCovered(name, covering) && !isCovered(name, fresh));
      const isOver = notAfterMs <= nowMs;
      return affected.map(({ name, services }) => ({
        service: services[0],
        problem: {
          severity: 'warning' as const,
          reason: isOver ? ('certificate-expired' as const) : ('certificate-expiring' as const),
          message: `the certificate for ${name} (${issuerName(issuer)}) ${isOver ? 'ended' : 'ends'} at ${new Date(notAfterMs).toISOString()} and is not renewed yet`,
          value: name,
          suggestion: 'look at the problems of this service and at `swarmgate certificates`',
        },
      }));
    });
}
