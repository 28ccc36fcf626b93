import type { ChallengeKind } from '../names/select-names.ts';

/** Why a name got no certificate this time, as it is stored with the name. */
export interface Failure {
  /** The CA's problem type, or one of this proxy's own: `unreachable`, `timeout`, `dns-provider`. */
  readonly type: string;
  /** The CA's own text. */
  readonly detail: string;
  readonly challenge: ChallengeKind;
  readonly issuer: string;
  /** The CA named no earlier time for a retry. */
  readonly notBeforeMs?: number | undefined;
}
