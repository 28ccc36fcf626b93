import type { NameGroup } from '../names/group-names.ts';
import { nameKind } from '../names/name-kind.ts';
import type { ChallengeKind } from '../names/select-names.ts';
import type { Issuer } from '../orders/issuers.ts';

/** Failures of a name with one issuer before the next of the list is tried. */
export const failuresOfIssuer = 3;
/** Let's Encrypt's name of the only profile that certifies addresses. */
const shortLived = 'shortlived';

export interface ChoiceInput {
  readonly names: NameGroup;
  /** Failures of the group: of its only name, where one failed. */
  readonly failures: number;
  readonly rehearsed: boolean;
  readonly issuers: readonly Issuer[];
  /** Failures in a row of an issuer that does not respond. */
  readonly awayFailures: (issuer: Issuer) => number;
  readonly notBeforeMs: (issuer: Issuer) => number;
  readonly nowMs: number;
}

export type OrderChoice =
  | {
      readonly kind: 'order';
      readonly issuer: Issuer;
      /** Against the staging directory, before a real try. */
      readonly rehearsal: boolean;
      readonly challenge: ChallengeKind;
      readonly profile?: string;
    }
  /** Every issuer is away for now. */
  | { readonly kind: 'wait'; readonly untilMs: number; readonly issuer: Issuer };

/**
 * Which issuer, directory and challenge the next try of a group uses: after a failure the staging directory first; the
 * next issuer after three failures, or when one did not respond three times; the challenges in turn.
 */
export function chooseOrder(input: ChoiceInput): OrderChoice | undefined {
  const { names, failures, rehearsed, issuers, awayFailures, notBeforeMs, nowMs } = input;
  const [first] = names;
  const allowed = first.issuers.flatMap((id) => issuers.filter((issuer) => issuer.id === id));
  const turn = Math.floor(failures / failuresOfIssuer);
  const inTurn = allowed.map((_, at) => allowed[(turn + at) % allowed.length]).filter((each) => each !== undefined);
  const [preferred] = inTurn;
  if (preferred === undefined) return undefined;
  const issuer = inTurn.find((each) => awayFailures(each) < failuresOfIssuer) ?? preferred;
  const { staging } = issuer;
  const rehearsal = failures > 0 && !rehearsed && staging !== undefined;
  const used = rehearsal ? staging : issuer;
  const untilMs = notBeforeMs(used);
  if (untilMs > nowMs) return { kind: 'wait', untilMs, issuer: used };
  const challenge = first.challenges[failures % first.challenges.length] ?? 'http-01';
  const profile = nameKind(first.name) === 'ip' ? shortLived : first.profile;
  return { kind: 'order', issuer: used, rehearsal, challenge, ...(profile === undefined ? {} : { profile }) };
}
