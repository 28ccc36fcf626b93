import type { SentFields } from '../../model/sent-fields.ts';
import { hopByHopFields } from '../hop-by-hop.ts';

/** Lower-case forms of names that were seen, empty for the fields of one connection: nearly all requests have the same. */
const knownNames = new Map<string, string>();
const mostKnownNames = 1_000;

function loweredName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const kept = hopByHopFields.has(lower) ? '' : lower;
  if (knownNames.size < mostKnownNames) knownNames.set(name, kept);
  return kept;
}

/** Field lines of HTTP/1.1, CRLF at the end of each, as flat lower-case name, value. */
export function flatOfLines(lines: string): string[] {
  const flat: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf('\r\n', at);
    const colon = lines.indexOf(':', at);
    if (end === -1 || colon === -1 || colon > end) break;
    const name = loweredName(lines.slice(at, colon));
    if (name !== '') flat.push(name, trimmed(lines, colon + 1, end));
    at = end + 2;
  }
  return flat;
}

/** The last heads of HTTP/1.1: the next one of a service often differs in nothing, or in its second alone. */
const recentHeads: ({ readonly lines: string; readonly flat: readonly string[] } | undefined)[] = new Array(64);
const mostRecentBytes = 1_024;

/**
 * Fields as they were sent, without those of one connection, as flat lower-case name, value. The same array for the same
 * lines, as long as they are remembered.
 */
export function flatOfSent(fields: SentFields): readonly string[] {
  if (typeof fields === 'string') {
    if (fields.length > mostRecentBytes) return flatOfLines(fields);
    const place = fields.length & 63;
    const recent = recentHeads[place];
    if (recent !== undefined && recent.lines === fields) return recent.flat;
    const flat = flatOfLines(fields);
    recentHeads[place] = { lines: fields, flat };
    return flat;
  }
  const flat: string[] = [];
  for (const { name, value } of fields) flat.push(name.text, value);
  return flat;
}

/** Flat name, value, name, value with lower-case names, without fields that belong to a connection. */
export function lowered(fields: readonly string[]): string[] {
  const flat: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = loweredName(fields[at] as string);
    const value = fields[at + 1] as string;
    if (name !== '') flat.push(name, trimmed(value, 0, value.length));
  }
  return flat;
}

/** Without the blanks that HTTP/1.1 allows around a value and HTTP/2 does not (RFC 9113, section 8.2.1). */
function trimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** What a field counts for in the bytes of a response: as in HTTP/1.1, before compression. */
export function bytesOf(flat: readonly string[]): number {
  let bytes = 0;
  for (const each of flat) bytes += each.length + 2;
  return bytes;
}
