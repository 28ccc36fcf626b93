import type { Value } from '../values/value.ts';

/** One option of a kind of middleware, by the field that holds it. */
export interface MiddlewareOption<T = unknown> {
  readonly value: Value<T>;
  /** As a label writes it, where the field carries a unit and the label does not. Default: the field's name. */
  readonly name?: string;
  readonly required?: true;
  /** `name.KEY=value`: the value is a record, of which each mention gives one entry. */
  readonly keyed?: true;
  /** Its texts are regular expressions, whose cost counts (`checkBounds`). */
  readonly isExpression?: true;
  readonly meaning: string;
  /** As the docs state it. Absent: none. */
  readonly default?: string;
}

export interface RequiredOption<T> extends MiddlewareOption<T> {
  readonly required: true;
}

export type OptionTable = Readonly<Record<string, MiddlewareOption>>;

/** One kind of middleware: its options, and what the docs state of it. */
export interface MiddlewareKind<Kind extends string = string, Options extends object = OptionTable> {
  readonly kind: Kind;
  readonly options: Options;
  /** The option that values without a name belong to. */
  readonly positional?: keyof Options & string;
  readonly meaning: string;
  /** A value as written after `com.df.<kind>=`. */
  readonly example: string;
  /** The feature that restricts access by it: see `LabelDocs.restricts`. */
  readonly restricts?: string;
  /** The label of an earlier version that does the same for a whole service: then `com.df.<kind>` is none. */
  readonly insteadOfLabel?: string;
}

type RequiredFields<Options> = {
  [Field in keyof Options]: Options[Field] extends { readonly required: true } ? Field : never;
}[keyof Options];

type ValueOfOption<Option> = Option extends MiddlewareOption<infer T> ? T : never;

/** The fields that a table of options gives a document. */
export type OptionsOf<Options> = {
  readonly [Field in RequiredFields<Options>]: ValueOfOption<Options[Field]>;
} & {
  readonly [Field in Exclude<keyof Options, RequiredFields<Options>>]?: ValueOfOption<Options[Field]>;
};

export function middlewareKind<const Kind extends string, Options extends object>(
  kind: MiddlewareKind<Kind, Options>,
): MiddlewareKind<Kind, Options> {
  return kind;
}

type Details = Omit<MiddlewareOption, 'value' | 'required'>;

export function required<T>(value: Value<T>, details: Details): RequiredOption<T> {
  return { value, required: true, ...details };
}

export function optional<T>(value: Value<T>, details: Details): MiddlewareOption<T> {
  return { value, ...details };
}
