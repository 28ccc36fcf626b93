import type { z } from 'zod';
import type { LabelParser, Value, Zod } from '../values/value.ts';

/**
 * Everything about one label, in one place: the definition's type and schema, the parser, the checks and the docs derive
 * from it. Adding a label is one entry here and the code that honours it.
 */
export interface LabelEntry<T = unknown> extends LabelDocs {
  /** Without the prefix (`com.df.`): also the query parameter of `reconfigure`. */
  readonly name: string;
  readonly parse: LabelParser<T>;
  readonly schema: (zod: Zod) => z.ZodType<T>;
}

/** How a destination takes connections: requests, a port, or a port by TLS server name. */
export type ReqMode = 'http' | 'tcp' | 'sni' | 'tls';

/** An entry without its kind of value. */
export interface LabelDocs {
  /** As the docs state it, in the label's own notation. Absent: not set. */
  readonly default?: string;
  readonly meaning: string;
  /** A value as written after `com.df.<name>=`. */
  readonly example: string;
  /**
   * The feature that restricts access by this label: `requires` of a definition names it. A new way to restrict is a new
   * feature, so that an older reader does not serve without it. Such a label is never ignored.
   */
  readonly restricts?: string;
  /** The modes in which it has an effect. Default: all. */
  readonly modes?: readonly ReqMode[];
  /** Of a label that is for requests: whether this value has its effect on relayed connections too. Default: none has. */
  readonly inRelays?: (value: unknown) => boolean;
  /** Its value never appears in problems, responses or logs. */
  readonly secret?: true;
  /** Whether a value, in whatever form it was written, may hold a credential: it is shown only where it does not. */
  readonly holdsCredential?: (value: string) => boolean;
  /** Deprecated names that mean the same. */
  readonly aliases?: readonly string[];
  readonly dockerFlow: DockerFlowDecision;
}

/** How the label compares with Docker Flow Proxy's. */
export type DockerFlowDecision =
  | { readonly kind: 'same' }
  | { readonly kind: 'fixed'; readonly change: string }
  | { readonly kind: 'new' };

/** The type of the field that an entry describes. */
export type ValueOf<Entry> = Entry extends LabelEntry<infer T> ? T : never;

/** The fields that a set of entries gives a definition. Absent means not set. */
export type FieldsOf<Entries> = { readonly [Field in keyof Entries]?: ValueOf<Entries[Field]> };

/** @param name where it differs from the definition's field: fields carry their unit, labels do not */
export function label<T>(name: string, value: Value<T>, docs: LabelDocs): LabelEntry<T> {
  return { name, ...docs, parse: value.parse, schema: value.schema };
}

/** For `modes`. */
export const httpOnly = ['http'] as const;
export const byName = ['http', 'sni', 'tls'] as const;
export const relaysOnly = ['tcp', 'sni', 'tls'] as const;
export const endingTls = ['http', 'tls'] as const;

export const same = { kind: 'same' } as const;
export const added = { kind: 'new' } as const;
export const fixed = (change: string) => ({ kind: 'fixed', change }) as const;
