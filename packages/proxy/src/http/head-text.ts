import { isSendableField } from '../model/field-syntax.ts';
import type { HeaderList } from '../model/header-list.ts';
import type { SentField, SentFields } from '../model/sent-fields.ts';
import { Field, type FieldSection, knownNames } from './field-section.ts';
import { hopByHopFields } from './hop-by-hop.ts';
import { sessionCookieName } from './session-cookie.ts';

/** The text of a head that a parser has found places in: `text` is latin1 of the bytes from `base` on. */
export class HeadText {
  readonly text: string;
  readonly base: number;
  readonly fields: FieldSection;

  constructor(text: string, base: number, fields: FieldSection) {
    this.text = text;
    this.base = base;
    this.fields = fields;
  }

  slice(from: number, to: number): string {
    return this.text.slice(from - this.base, to - this.base);
  }

  name(index: number): string {
    return this.slice(this.fields.lineStart(index), this.fields.nameEnd(index));
  }

  value(index: number): string {
    return this.slice(this.fields.valueStart(index), this.fields.valueEnd(index));
  }

  /** The first value of a field, by lower-case name. */
  header(name: string): string | undefined {
    const { fields } = this;
    for (let index = 0; index < fields.count; index++) {
      if (fields.nameEnd(index) - fields.lineStart(index) !== name.length) continue;
      if (this.name(index).toLowerCase() === name) return this.value(index);
    }
    return undefined;
  }

  /** Flat name, value, name, value, as sent: the form that `HeaderList` and the header policy take. */
  flat(): string[] {
    const flat: string[] = [];
    for (let index = 0; index < this.fields.count; index++) flat.push(this.name(index), this.value(index));
    return flat;
  }

  /** The same without the fields that `dropped` marks. */
  flatWithout(dropped: Uint8Array): string[] {
    const flat: string[] = [];
    const { fields } = this;
    for (let index = 0; index < fields.count; index++)
      if (dropped[fields.field(index)] === 0) flat.push(this.name(index), this.value(index));
    return flat;
  }

  /** All lines but those of fields that `dropped` marks, as sent: pieces between them are taken in one slice. */
  linesWithout(dropped: Uint8Array): string {
    const { fields } = this;
    let lines = '';
    let from = fields.count === 0 ? fields.end - 2 : fields.lineStart(0);
    for (let index = 0; index < fields.count; index++) {
      if (dropped[fields.field(index)] === 0) continue;
      const start = fields.lineStart(index);
      if (start > from) lines += this.slice(from, start);
      from = fields.lineEnd(index);
    }
    return lines + this.slice(from, fields.end - 2);
  }

  /** Any field of a kind that `marked` marks; of a cookie only where its value may hold the console's session. */
  hasAny(marked: Uint8Array): boolean {
    const { fields } = this;
    for (let index = 0; index < fields.count; index++) {
      const mark = marked[fields.field(index)];
      if (mark !== 0 && isMarked(mark, mark === BY_VALUE ? this.value(index) : '')) return true;
    }
    return false;
  }
}

const MARKED = 1;
/** The kind alone decides nothing: see `HeadText.hasAny`. */
const BY_VALUE = 2;

/** @param mark of a table over `Field`, see `marked` */
export function isMarked(mark: number | undefined, value: string): boolean {
  return mark === MARKED || (mark === BY_VALUE && value.includes(sessionCookieName));
}

/** The fields as lines of HTTP/1.1, CRLF at the end of each. */
export function sentLines(fields: SentFields): string {
  if (typeof fields === 'string') return fields;
  let lines = '';
  for (let at = 0; at < fields.length; at++) lines += (fields[at] as SentField).line;
  return lines;
}

/** A table over `Field`. */
export function marked(...kinds: readonly number[]): Uint8Array {
  const table = new Uint8Array(Object.keys(Field).length);
  for (const kind of kinds) table[kind] = kind === Field.cookie || kind === Field.setCookie ? BY_VALUE : MARKED;
  return table;
}

/** `hopByHopFields` as a table: fields that belong to one hop. */
export const hopByHop = marked(...knownNames.flatMap(([name, kind]) => (hopByHopFields.has(name) ? [kind] : [])));

/** Fields that only `header-policy.ts` handles. */
export const needsPolicy = marked(
  Field.proxyConnection,
  Field.forwardedFor,
  Field.forwardedProto,
  Field.forwardedHost,
  Field.forwardedPort,
  Field.forwarded,
  Field.via,
  Field.requestId,
  Field.folding,
  Field.hops,
  Field.realIp,
  Field.cookie,
);

/** `false` where a step put a character into a field that would break the head. */
export function isSendable({ flat, isSound }: HeaderList): boolean {
  if (isSound) return true;
  for (let at = 0; at < flat.length; at += 2)
    if (!isSendableField(flat[at] as string, flat[at + 1] as string)) return false;
  return true;
}

/** Lines of a head. `undefined` where it is not sendable. */
export function linesOf(headers: HeaderList): string | undefined {
  if (!isSendable(headers)) return undefined;
  let lines = '';
  const { flat } = headers;
  for (let at = 0; at < flat.length; at += 2) lines += `${flat[at]}: ${flat[at + 1]}\r\n`;
  return lines;
}

/**
 * Puts back what frames the body, whatever a step did to it: a head that announces another length than what follows is a
 * smuggled request or response. Transfer-Encoding is left to the writer of the head.
 * @param contentLength -1: none.
 */
export function restoreFraming(headers: HeaderList, contentLength: number): void {
  headers.delete('transfer-encoding');
  if (contentLength === -1) headers.delete('content-length');
  else headers.set('Content-Length', String(contentLength));
}

export function isSafeTarget(target: string): boolean {
  return /^[\x21-\x7e]+$/.test(target);
}
