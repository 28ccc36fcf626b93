/** How a request says where its body ends (RFC 9112, section 6.3). */
export type BodyKind = 'none' | 'sized' | 'chunked';

/** @param headers Flat name, value list whose framing has been judged already. */
export function bodyKindOf(headers: readonly string[]): BodyKind {
  let kind: BodyKind = 'none';
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') return 'chunked';
    if (name.length === 14 && name.toLowerCase() === 'content-length' && Number(headers[at + 1]) > 0) kind = 'sized';
  }
  return kind;
}
