// Beyond latin1 a character would lose its high byte on the way out, and could become a line break by that.
const unsafeText = /[^\t\x20-\x7e\x80-\xff]/;

/** Names that have been found valid: nearly every request brings the same. */
const fieldNames = new Set<string>();
const mostFieldNames = 1_000;

function isFieldName(name: string): boolean {
  if (fieldNames.has(name)) return true;
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return false;
  if (fieldNames.size < mostFieldNames && name.length < 64) fieldNames.add(name);
  return true;
}

/** Whether a field breaks no head (RFC 9110, section 5): the parsers let through the same. */
export function isSendableField(name: string, value: string): boolean {
  return isFieldName(name) && !unsafeText.test(value);
}
