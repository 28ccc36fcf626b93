import type { z } from 'zod';

/** zod's namespace, passed in: only the readers of documents load it, which keeps some 15 MB out of every worker. */
export type Zod = typeof z;

/** One kind of value: how it is written in a label, and how it stands in a definition. */
export interface Value<T> {
  /** The label's text → the value. Pure; never throws. */
  readonly parse: LabelParser<T>;
  /** The value as JSON in a definition, which people may edit by hand. */
  readonly schema: (zod: Zod) => z.ZodType<T>;
}

export interface ParseOptions {
  /** Separates the parts of lists: `SEPARATOR`. Default: a comma. */
  readonly separator: string;
}

export type LabelParser<T> = (text: string, options: ParseOptions) => ParsedLabel<T>;

export type ParsedLabel<T> =
  /** `undefined` means the same as not setting the label. */
  | { readonly ok: true; readonly value: T | undefined; readonly warning?: ValueWarning }
  | {
      readonly ok: false;
      /** Completes "`label` is `value`: expected …". */
      readonly expected: string;
      readonly suggestion?: string;
      /** The value means something in HAProxy that this proxy does not do. Default: `label-value-invalid`. */
      readonly reason?: 'label-value-refused';
      /** `warning`: Docker Flow ignores such a value, so it is ignored here too. Default: `error`. */
      readonly severity?: 'warning';
    };

export interface ValueWarning {
  readonly reason: 'wildcard-without-dot' | 'domain-with-port' | 'rule-syntax-v2';
  readonly message: string;
  readonly suggestion?: string;
}

export const ok = <T>(value: T | undefined): ParsedLabel<T> => ({ ok: true, value });

/** @param expected completes "`label` is `value`: expected …" */
export const not = (expected: string): ParsedLabel<never> => ({ ok: false, expected });
