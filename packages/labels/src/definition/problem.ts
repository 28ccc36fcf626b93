import type { ProblemReason } from './problem-reasons.ts';

/** `error` rejects the definition, which keeps its last good version; `warning` ignores the label. */
export type Severity = 'error' | 'warning';

/** Why a label or a definition cannot be used as it stands. Data, never thrown. Never holds a secret. */
export interface Problem {
  readonly severity: Severity;
  /** Stable, kebab-case: what an alert or a test compares, such as `label-unknown` or `route-conflict`. */
  readonly reason: ProblemReason;
  /** A sentence for the owner: what is wrong, with what. */
  readonly message: string;
  /** The label's name without the `com.df.` prefix, with its index where it had one: `servicePath.2`. */
  readonly label?: string;
  /** The value as it was given; `(secret)` for labels that hold one. */
  readonly value?: string;
  /** The remedy, as an action of the reader. */
  readonly suggestion?: string;
  /** For a conflict: the other service, `<owner>/<service>`. */
  readonly otherService?: string;
}

/** Problems of one service, as `GET /v1/problems`, the log, the metric and the registry show them. */
export interface ServiceProblems {
  readonly owner: string;
  readonly service: string;
  readonly problems: readonly Problem[];
}
