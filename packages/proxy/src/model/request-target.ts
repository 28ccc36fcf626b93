/**
 * What routing may look at. Made once per request by the exchange: the host is lower case without port and trailing dot, the
 * path is in normal form (`normalizePath`), whatever spelling of it is forwarded. The table leaves its parameters out
 * (`pathForRules`).
 */
export interface RequestTarget {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** The entrypoint's port as the client sees it. */
  readonly port: number;
  /** First value of a header by lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** The entrypoint ends TLS. Absent: no. */
  readonly secure?: boolean;
  // What only rules read. Absent: not known, so a rule that reads it does not fit.
  /** Values of all lines of a header by lower-case name, in the order of the lines. */
  readonly lines?: (name: string) => readonly string[];
  /** With its `?`, or empty. */
  readonly query?: string;
  /** The address of the client, as trusted proxies state it. */
  readonly clientAddress?: string;
}
