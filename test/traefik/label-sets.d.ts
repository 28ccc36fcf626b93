/** One public stack with labels of Traefik, and what Traefik does with it. */
export interface LabelSet {
  readonly id: string;
  /** The stack's name. */
  readonly stack: string;
  /** The stack file. */
  readonly file: string;
  readonly requests: readonly LabelSetRequest[];
  readonly problems: readonly {
    readonly what: string;
    /** As the stack file names it. */
    readonly service?: string;
    /** The problem's sentence, label or mend has one of these. */
    readonly namesOneOf: readonly string[];
    /** Only `swarmgate check` sees it. */
    readonly ofCheckOnly?: true;
  }[];
}
export interface LabelSetRequest {
  readonly url: string;
  /** `user:password`. */
  readonly as?: string;
  readonly expected: ExpectedOutcome;
}
/** `by` is `service:port`, the service as the stack file names it. */
export type ExpectedOutcome =
  | {
      readonly kind: 'served' | 'served-or-closed';
      readonly by: string;
      readonly path: string;
      readonly serviceSees?: Readonly<Record<string, string>>;
      readonly clientSees?: Readonly<Record<string, string>>;
      readonly compressed?: true;
    }
  | {
      readonly kind: 'redirect';
      readonly status: number;
      readonly otherwise: number;
      readonly to: string;
    }
  | {
      readonly kind: 'unauthorized' | 'closed' | 'unserved';
    };
export declare const labelSets: readonly LabelSet[];
