/** A field as it came over HTTP/2. */
export interface SentField {
  readonly name: {
    /** Lower case. */
    readonly text: string;
    /** `Field` of `http/field-section.ts`. */
    readonly kind: number;
  };
  readonly value: string;
  /** As HTTP/1.1 writes it, CRLF at the end. */
  readonly line: string;
}

/** End-to-end fields as they were sent: lines of HTTP/1.1 with CRLF at the end of each, or the fields of HTTP/2. */
export type SentFields = string | readonly SentField[];
