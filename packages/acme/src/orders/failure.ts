import type { ChallengeKind } from '../names/select-names.ts';

/** Why a name got no certificate this time, as it is stored with the name. */
export interface Failure {
  /** The CA's problem type, or one of this proxy's own: `unreachable`, `timeout`, `dns-provider`. */
  readonly type: string;
  /** The CA's own words. */
  readonly detail: string;
  readonly challenge: ChallengeKind;
  readonly issuer: string;
  /** The CA requested no try before this time. */
  readonly notBeforeMs?: number | undefined;
}
