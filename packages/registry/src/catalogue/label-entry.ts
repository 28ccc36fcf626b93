/**
 * One label: everything there is to know about it, in one place. Parameters, docs and checks are made from these
 * entries; adding a label is one entry, and the compiler asks for it (`labels.ts`).
 */
export interface LabelEntry<T = unknown> {
  /** Without the `com.df.` prefix: also the query parameter of `reconfigure`. */
  readonly name: string;
  readonly parse: LabelParser<T>;
  /** As the docs say it, in the label's own notation. Absent: not set. */
  readonly default?: string;
  readonly meaning: string;
  /** A value, as one writes it after `com.df.<name>=`. */
  readonly example: string;
  readonly support: LabelSupport;
  /** Never ignored: where it cannot be honoured the destination answers 503 instead of being served unprotected. */
  readonly restrictsAccess?: true;
  /** Its value never appears in problems, answers or logs. */
  readonly secret?: true;
  /** Deprecated names that mean the same. */
  readonly aliases?: readonly string[];
  readonly dockerFlow: DockerFlowDecision;
}

export type LabelSupport =
  | { readonly kind: 'served' }
  /** Accepted, stored, reported as `label-unsupported`. */
  | { readonly kind: 'not-supported-yet' }
  /** Accepted and without effect, with a warning that says why. */
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'refused'; readonly replacement: string };

/** How we stand to Docker Flow Proxy's meaning of the label. */
export type DockerFlowDecision =
  | { readonly kind: 'same' }
  | { readonly kind: 'fixed'; readonly change: string }
  | { readonly kind: 'refused' }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'new' };

export interface ReadingOptions {
  /** Separates the parts of lists: `SEPARATOR`, by default a comma. */
  readonly separator: string;
}

export type LabelParser<T> = (text: string, options: ReadingOptions) => LabelParsed<T>;

export type LabelParsed<T> =
  /** `undefined` means the same as not setting the label. */
  | { readonly ok: true; readonly value: T | undefined; readonly warning?: ValueWarning }
  | {
      readonly ok: false;
      /** Completes "`label` is `value`: expected …". */
      readonly expected: string;
      readonly suggestion?: string;
      /** `value-refused`: it means something in HAProxy that we do not do. Default `label-value-invalid`. */
      readonly reason?: 'label-value-refused';
      /** `warning`: Docker Flow ignores such a value, so do we. Default `error`. */
      readonly severity?: 'warning';
    };

export interface ValueWarning {
  readonly reason: string;
  readonly message: string;
  readonly suggestion?: string;
}

/** A label that is no field of the definition: for the listener, deprecated, ignored or refused. */
export interface OtherLabel {
  readonly name: string;
  readonly indexed: boolean;
  readonly meaning: string;
  readonly example: string;
  readonly kind:
    | { readonly kind: 'listener' }
    | { readonly kind: 'deprecated'; readonly replacement: string }
    | { readonly kind: 'ignored'; readonly why: string }
    | { readonly kind: 'refused'; readonly replacement: string };
}

export const served = { kind: 'served' } as const;
export const same = { kind: 'same' } as const;
export const added = { kind: 'new' } as const;
export const fixed = (change: string) => ({ kind: 'fixed', change }) as const;
