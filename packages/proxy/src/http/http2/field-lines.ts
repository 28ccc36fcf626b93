/** Fields of one connection of HTTP/1.1, which HTTP/2 does not have (RFC 9113, section 8.2.2). */
const connectionFields = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authorization',
]);

/** Field lines of HTTP/1.1, CRLF at the end of each, as flat lower-case name, value. */
export function flatOfLines(lines: string): string[] {
  const flat: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf('\r\n', at);
    const colon = lines.indexOf(':', at);
    if (end === -1 || colon === -1 || colon > end) break;
    const name = lines.slice(at, colon).toLowerCase();
    if (!connectionFields.has(name)) flat.push(name, trimmed(lines.slice(colon + 1, end)));
    at = end + 2;
  }
  return flat;
}

/** Flat name, value, name, value with lower-case names, without fields that belong to a connection. */
export function lowered(fields: readonly string[]): string[] {
  const flat: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = (fields[at] as string).toLowerCase();
    if (!connectionFields.has(name)) flat.push(name, trimmed(fields[at + 1] as string));
  }
  return flat;
}

/** Without the blanks that HTTP/1.1 allows around a value and HTTP/2 does not (RFC 9113, section 8.2.1). */
function trimmed(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '');
}

/** What a field counts for in the bytes of a response: as in HTTP/1.1, before compression. */
export function bytesOf(flat: readonly string[]): number {
  let bytes = 0;
  for (const each of flat) bytes += each.length + 2;
  return bytes;
}
