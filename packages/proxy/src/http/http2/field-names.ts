import { targetBytes, tokenBytes, valueBytes } from '../byte-tables.ts';
import { Field, knownNames } from '../field-section.ts';
import { type ParseError, parseErrors } from '../parse-error.ts';

/** The rule of HTTP/2 for a field, by its name. Pseudo-header fields are below `Rule.regular`. */
export const Rule = {
  method: 0,
  scheme: 1,
  authority: 2,
  path: 3,
  protocol: 4,
  status: 5,
  unknownPseudo: 6,
  regular: 7,
  host: 8,
  cookie: 9,
  contentLength: 10,
  te: 11,
  expect: 12,
  /** Belongs to one hop: not allowed in HTTP/2 (RFC 9113, section 8.2.2). */
  connectionSpecific: 13,
} as const;

/** Violations that exist only in HTTP/2; the others are those of HTTP/1.1 (`parseErrors`). */
export const headErrors = {
  /** RFC 9113, 8.3: unknown, repeated, missing, or behind a regular field. */
  pseudoField: error('bad-pseudo-field'),
  /** RFC 9113, 8.2.2. */
  connectionSpecific: error('connection-specific-field'),
  /** RFC 9113, 8.2.2: anything but `trailers`. */
  te: error('bad-te'),
  /** RFC 9113, 8.3.1. */
  scheme: error('bad-scheme'),
} as const;

function error(cause: string): ParseError {
  return Object.freeze({ response: 'bad-request', cause });
}

/** What is known of a field by its name alone. One object for each known name; table entries share it. */
export interface FieldName {
  readonly text: string;
  /** `Field` of HTTP/1.1: which fields forwarding treats specially. */
  readonly kind: number;
  readonly rule: number;
  /** Set where no field may have this name. */
  readonly flaw: ParseError | undefined;
  /** Bytes that its value may hold, and what another one is. */
  readonly valueTable: Uint8Array;
  readonly valueFlaw: ParseError;
  readonly mayBeEmpty: boolean;
}

/** `authority` of RFC 3986, without user information (RFC 9113, section 8.3.1). What it must be for a route is `normalizeHost`'s. */
const authorityBytes = targetBytes.map((kind, byte) => ('@/?\\'.includes(String.fromCharCode(byte)) ? 0 : kind));

/** `scheme` of RFC 3986, section 3.1. */
const schemeBytes = tokenBytes.map((kind, byte) => (/[A-Za-z0-9+.-]/.test(String.fromCharCode(byte)) ? kind : 0));

const statusBytes = tokenBytes.map((kind, byte) => (byte >= 0x30 && byte <= 0x39 ? kind : 0));

const pseudoNames: readonly (readonly [string, number, Uint8Array, ParseError])[] = [
  [':method', Rule.method, tokenBytes, parseErrors.method],
  [':scheme', Rule.scheme, schemeBytes, headErrors.scheme],
  [':authority', Rule.authority, authorityBytes, parseErrors.hostInvalid],
  [':path', Rule.path, targetBytes, parseErrors.target],
  [':protocol', Rule.protocol, tokenBytes, headErrors.pseudoField],
  [':status', Rule.status, statusBytes, headErrors.pseudoField],
];

const regularRules: Readonly<Record<string, number>> = {
  host: Rule.host,
  cookie: Rule.cookie,
  'content-length': Rule.contentLength,
  te: Rule.te,
  expect: Rule.expect,
  connection: Rule.connectionSpecific,
  'proxy-connection': Rule.connectionSpecific,
  'keep-alive': Rule.connectionSpecific,
  'transfer-encoding': Rule.connectionSpecific,
  upgrade: Rule.connectionSpecific,
};

const known = new Map<string, FieldName>();
for (const [text, rule, valueTable, valueFlaw] of pseudoNames) {
  known.set(text, { text, kind: Field.other, rule, flaw: undefined, valueTable, valueFlaw, mayBeEmpty: false });
}
for (const [text, kind] of knownNames) known.set(text, regularName(text, kind));
for (const text of Object.keys(regularRules)) if (!known.has(text)) known.set(text, regularName(text, Field.other));

function regularName(text: string, kind: number): FieldName {
  const rule = regularRules[text] ?? Rule.regular;
  const valueFlaw = rule === Rule.host ? parseErrors.hostInvalid : parseErrors.fieldValue;
  return { text, kind, rule, flaw: flawOf(text, rule), valueTable: valueBytes, valueFlaw, mayBeEmpty: true };
}

function flawOf(text: string, rule: number): ParseError | undefined {
  if (rule !== Rule.connectionSpecific) return undefined;
  return text === 'transfer-encoding' ? parseErrors.transferEncoding : headErrors.connectionSpecific;
}

/**
 * The rule for a name as received: lower-case tokens, or a colon in front of one of the pseudo-header fields
 * (RFC 9113, sections 8.2.1 and 8.3).
 */
export function fieldName(text: string): FieldName {
  const found = known.get(text);
  if (found !== undefined) return found;
  if (text.charCodeAt(0) === 0x3a) {
    const flaw = headErrors.pseudoField;
    const rule = Rule.unknownPseudo;
    return { text, kind: Field.other, rule, flaw, valueTable: valueBytes, valueFlaw: flaw, mayBeEmpty: true };
  }
  const flaw = isLowerToken(text) ? undefined : parseErrors.fieldName;
  const kind = /[^0-9a-z-]/.test(text) ? Field.folding : Field.other;
  const valueFlaw = parseErrors.fieldValue;
  return { text, kind, rule: Rule.regular, flaw, valueTable: valueBytes, valueFlaw, mayBeEmpty: true };
}

/** Enters a name whose object is to be shared, as those of the static table. */
export function internFieldName(text: string): FieldName {
  const name = fieldName(text);
  known.set(text, name);
  return name;
}

export function isLowerToken(text: string): boolean {
  if (text === '') return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff || tokenBytes[code] === 0 || (code >= 0x41 && code <= 0x5a)) return false;
  }
  return true;
}
