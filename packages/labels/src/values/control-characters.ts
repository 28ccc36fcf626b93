// Tabs stand in header values (RFC 9110, section 5.5).
// biome-ignore lint/suspicious/noControlCharactersInRegex: this finds them
const controlCharacter = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * Where a value from a label or a document holds a control character other than a tab, as the names and positions that
 * lead there; `undefined`: nowhere. No label means one, and what ends up in a request line, a header, a DNS query or a
 * log must not hold one.
 */
export function controlCharacterIn(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return controlCharacter.test(value) ? [] : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const path = controlCharacter.test(name) ? [] : controlCharacterIn(inner);
    if (path !== undefined) return [name, ...path];
  }
  return undefined;
}
