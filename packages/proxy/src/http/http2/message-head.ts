import type { Field } from '../field-section.ts';
import { isMarked } from '../head-text.ts';
import { type ParseError, parseErrors } from '../parse-error.ts';
import type { ReceivedHead } from '../response-head.ts';
import { fieldName, headErrors, Rule } from './field-names.ts';
import { HeaderField } from './header-field.ts';
import type { DecodedFields } from './hpack/decoder.ts';

/** A request's head as it came (RFC 9113, section 8.3.1): validated, unchanged but for joined cookies. */
export interface RequestHead {
  readonly method: string;
  /** Empty for CONNECT without `:protocol`. */
  readonly scheme: string;
  /** `:authority`, or else Host. As it came: neither lower case nor without port. */
  readonly authority: string;
  /** `:path` with its query: begins with a slash, or is `*` for OPTIONS. Empty for CONNECT without `:protocol`. */
  readonly path: string;
  /** `:protocol` of an extended CONNECT (RFC 8441), as `websocket`; or empty. */
  readonly protocol: string;
  /** The regular fields in order: without Host, and cookies as one field at the place of the first. */
  readonly fields: readonly HeaderField[];
  /** -1: none was sent. */
  readonly contentLength: number;
  readonly expectContinue: boolean;
}

/** A response's head as it came (RFC 9113, section 8.3.2). It is kept as long as it is needed. */
export class ResponseHead implements ReceivedHead {
  /** 100 to 599, never 101. */
  readonly status: number;
  readonly reason = '';
  readonly fields: readonly HeaderField[];
  readonly contentLength: number;
  readonly chunked = false;
  readonly namesFields = false;

  constructor(status: number, fields: readonly HeaderField[], contentLength: number) {
    this.status = status;
    this.fields = fields;
    this.contentLength = contentLength;
  }

  get hasStrayLength(): boolean {
    return this.contentLength !== -1 && (this.status < 200 || this.status === 204);
  }

  header(name: string): string | undefined {
    return fieldValue(this.fields, name);
  }

  hasAny(marked: Uint8Array): boolean {
    return hasMarked(this.fields, marked);
  }

  fieldsWithout(dropped: Uint8Array): readonly HeaderField[] {
    return fieldsWithout(this.fields, dropped);
  }

  flat(): string[] {
    return flatFields(this.fields);
  }

  flatWithout(dropped: Uint8Array): string[] {
    return flatFields(fieldsWithout(this.fields, dropped));
  }
}

/** Whether a field is of a kind that `marked` marks: see `HeadText.hasAny`. */
export function hasMarked(fields: readonly HeaderField[], marked: Uint8Array): boolean {
  for (let at = 0; at < fields.length; at++) {
    const { name, value } = fields[at] as HeaderField;
    if (isMarked(marked[name.kind], value)) return true;
  }
  return false;
}

/** The fields but those of kinds that `dropped` marks: the same array where there are none. */
export function fieldsWithout(fields: readonly HeaderField[], dropped: Uint8Array): readonly HeaderField[] {
  for (let at = 0; at < fields.length; at++)
    if (dropped[(fields[at] as HeaderField).name.kind] !== 0)
      return fields.filter((field) => dropped[field.name.kind] === 0);
  return fields;
}

/** Flat name, value, name, value: the form of `HeaderList`. */
export function flatFields(fields: readonly HeaderField[]): string[] {
  const flat: string[] = [];
  for (const field of fields) flat.push(field.name.text, field.value);
  return flat;
}

/** The first value of a field, by lower-case name. */
export function fieldValue(fields: readonly HeaderField[], name: string): string | undefined {
  for (const field of fields) if (field.name.text === name) return field.value;
  return undefined;
}

export interface RequestRules {
  readonly maxFields: number;
  /** Extended CONNECT was announced. */
  readonly connectProtocol: boolean;
}

/** Why a request is not taken; what was readable of it goes into the access record. */
export interface RefusedRequest {
  readonly error: ParseError;
  readonly method: string;
  readonly authority: string;
  readonly path: string;
}

const cookieName = fieldName('cookie');

// Validation calls nothing that could validate another head meanwhile.
const pseudo: (string | undefined)[] = new Array(Rule.unknownPseudo).fill(undefined);
let fields: HeaderField[] = [];
let contentLength = -1;
let host: string | undefined;
let expectContinue = false;

export function isRefused(outcome: RequestHead | RefusedRequest): outcome is RefusedRequest {
  return 'error' in outcome;
}

/** Validates a decoded request head (RFC 9113, sections 8.1.1 to 8.3.1 and 8.5; RFC 8441, section 4). */
export function validateRequest(decoded: DecodedFields, rules: RequestRules): RequestHead | RefusedRequest {
  const error = gather(decoded, true, rules.maxFields) ?? validatePseudo(rules.connectProtocol);
  const method = pseudo[Rule.method] ?? '';
  const authority = pseudo[Rule.authority] ?? host ?? '';
  const path = pseudo[Rule.path] ?? '';
  if (error !== undefined) return { error, method, authority, path };
  return {
    method,
    scheme: pseudo[Rule.scheme] ?? '',
    authority,
    path,
    protocol: pseudo[Rule.protocol] ?? '',
    fields,
    contentLength,
    expectContinue,
  };
}

/** Validates a decoded response head (RFC 9113, section 8.3.2). `undefined`: malformed. */
export function validateResponse(decoded: DecodedFields, maxFields: number): ResponseHead | undefined {
  if (gather(decoded, false, maxFields) !== undefined) return undefined;
  const text = pseudo[Rule.status];
  if (text === undefined || text.length !== 3) return undefined;
  const status = Number(text);
  // 101 has no meaning in HTTP/2 (RFC 9113, section 8.6).
  if (status < 100 || status > 599 || status === 101) return undefined;
  return new ResponseHead(status, fields, contentLength);
}

/** Validates a trailer section (RFC 9113, section 8.1): no pseudo-header fields. `undefined`: malformed. */
export function validateTrailers(decoded: DecodedFields, maxFields: number): readonly HeaderField[] | undefined {
  const { list } = decoded;
  if (list.length > maxFields) return undefined;
  for (const field of list) if (field.flaw !== undefined || field.name.rule < Rule.regular) return undefined;
  return list;
}

/** Sorts the fields, and finds what is wrong with one of them or with their order. */
function gather(decoded: DecodedFields, isRequest: boolean, maxFields: number): ParseError | undefined {
  for (let at = 0; at < pseudo.length; at++) pseudo[at] = undefined;
  fields = [];
  contentLength = -1;
  host = undefined;
  expectContinue = false;
  let cookieAt = -1;
  for (let at = 0; at < decoded.count; at++) {
    const field = decoded.at(at);
    if (field.flaw !== undefined) return field.flaw;
    const rule = field.name.rule;
    if (rule === Rule.regular) fields.push(field);
    else if (rule < Rule.regular) {
      const misplaced = fields.length > 0 || host !== undefined || (rule === Rule.status) === isRequest;
      if (misplaced || pseudo[rule] !== undefined) return headErrors.pseudoField;
      pseudo[rule] = field.value;
    } else if (rule === Rule.cookie && isRequest) {
      if (cookieAt === -1) {
        cookieAt = fields.length;
        fields.push(field);
      } else {
        // RFC 9113, section 8.2.3.
        const joined = `${(fields[cookieAt] as HeaderField).value}; ${field.value}`;
        fields[cookieAt] = new HeaderField(cookieName, joined, undefined);
      }
    } else {
      const error = gatherSpecial(field, isRequest);
      if (error !== undefined) return error;
    }
  }
  if (fields.length > maxFields) return parseErrors.tooManyFields;
  return decoded.exceeded ? parseErrors.headTooLarge : undefined;
}

function gatherSpecial(field: HeaderField, isRequest: boolean): ParseError | undefined {
  switch (field.name.rule) {
    case Rule.contentLength:
      // Even equal ones: servers differ in which they take when a third is hidden from one of them.
      if (contentLength !== -1) return parseErrors.contentLengthDuplicate;
      contentLength = Number(field.value);
      break;
    case Rule.host:
      if (!isRequest) break;
      if (host !== undefined) return parseErrors.hostDuplicate;
      host = field.value;
      return undefined;
    case Rule.expect:
      if (!isRequest) break;
      if (field.value.toLowerCase() !== '100-continue') return parseErrors.expectation;
      expectContinue = true;
      break;
    default:
  }
  fields.push(field);
  return undefined;
}

/** RFC 9113, section 8.3.1, for CONNECT section 8.5. */
function validatePseudo(connectProtocol: boolean): ParseError | undefined {
  const method = pseudo[Rule.method];
  const scheme = pseudo[Rule.scheme];
  const authority = pseudo[Rule.authority];
  const path = pseudo[Rule.path];
  const protocol = pseudo[Rule.protocol];
  if (method === undefined) return headErrors.pseudoField;
  if (protocol !== undefined && (!connectProtocol || method !== 'CONNECT')) return headErrors.pseudoField;
  if (method === 'CONNECT' && protocol === undefined) {
    if (scheme !== undefined || path !== undefined) return headErrors.pseudoField;
  } else {
    if (scheme === undefined || path === undefined) return headErrors.pseudoField;
    const isAsterisk = path === '*' && method === 'OPTIONS';
    if (path.charCodeAt(0) !== 0x2f && !isAsterisk) return parseErrors.target;
  }
  if (authority === undefined) {
    if (method === 'CONNECT') return headErrors.pseudoField;
    return host === undefined ? parseErrors.hostMissing : undefined;
  }
  if (host !== undefined && host !== authority && host.toLowerCase() !== authority.toLowerCase())
    return parseErrors.hostInvalid;
  return undefined;
}

/** Fields of a kind that `Field` of HTTP/1.1 names. */
export function hasKind(fields: readonly HeaderField[], kind: (typeof Field)[keyof typeof Field]): boolean {
  for (const field of fields) if (field.name.kind === kind) return true;
  return false;
}
