import type { Protocol } from './exchange.ts';
import type { SentFields } from './sent-fields.ts';

/** Why a request is refused before a route is chosen: names of local responses. */
export type RequestFault = 'bad-host' | 'bad-path' | 'method-not-forwarded' | 'misdirected-request';

/**
 * A request as its server protocol has parsed it. Valid while the exchange decides, synchronously; what is needed later
 * is copied by then.
 */
export interface RequestView {
  readonly protocol: Protocol;
  readonly method: string;
  /** Set where the target or the authority cannot be used. */
  readonly fault: RequestFault | undefined;
  /** `Host`, or the authority of an absolute-form target or of HTTP/2, as sent. Empty for HTTP/1.0 without one. */
  readonly sentHost: string;
  /** `sentHost` is the value of the only Host field. */
  readonly hostIsField: boolean;
  /** Before the `?`, as sent. `/` for `OPTIONS *`. */
  readonly path: string;
  /** `path` is in normal form and has one reading: it holds only bytes and segments that normalising leaves alone, and no `;`. */
  readonly plainPath: boolean;
  /** With its `?`, or empty. */
  readonly query: string;
  /** The request target before its `?`, as sent, whatever its form. */
  readonly sentPath: string;
  /** `OPTIONS *` (RFC 9112, section 3.2.4): looked up as `/`, forwarded as `*`. */
  readonly asterisk: boolean;
  /** -1: none was sent. */
  readonly contentLength: number;
  /** The body's length is known only when it ends. */
  readonly unsized: boolean;
  /** Value of `Upgrade` that the client offers, without `h2c`; empty: none. */
  readonly upgrade: string;
  /** First value of a field, by lower-case name. */
  header(name: string): string | undefined;
  /** All values of a field joined by a comma (RFC 9110, section 5.3), by lower-case name. */
  joined(name: string): string | undefined;
  /** Flat name, value, name, value, as sent. */
  flat(): string[];
  /**
   * The fields of a head for an endpoint, as sent, without those of the client's hop; `undefined` where one needs the header
   * policy. Host is among lines, and not among fields of HTTP/2.
   */
  plainFields(): SentFields | undefined;
  /** The same fields as a flat list, where `plainFields` has found some: names as sent. */
  plainFlat(): string[];
}
